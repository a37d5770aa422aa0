"""pydantic models → structural OpenAPI v3 schemas, as CustomResourceDefinitions want them.

The models are read directly, not by way of pydantic's JSON schema: no `$ref`, no `anyOf: null`, no titles to take
out again. An optional field is one that may be absent; `null` is never a value. Only what people write (`spec`) has
defaults.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from inspect import cleandoc
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from makima.models.markers import Model, NotInSchema, Rule, Rules, StartsEmpty
from makima.schema.constraints import (
    Schema,
    flatten,
    list_type,
    number_bounds,
    pattern_of,
    size_bounds,
    unwrap,
)
from makima.schema.rules.by_model import rules_of, rules_of_field
from makima.schema.rules.text import NO_CONTROL_CHARACTERS


def object_schema(model: type[Model], *, defaults: bool) -> Schema:
    """Schema of a model's fields.

    Args:
        defaults: whether defaults of the model become defaults of the schema; not in a status, which says what is.
    """
    fields = {
        _alias(name, field): _with_rules(field_schema(field, defaults=defaults), rules_of_field(model, name))
        for name, field in model.model_fields.items()
        if not any(isinstance(item, NotInSchema) for item in field.metadata)
    }
    schema: Schema = {"description": summary(model), "type": "object", "properties": fields}
    if required := _required(model):
        schema["required"] = required
    return schema | rules_schema(rules_of(model))


def field_schema(field: FieldInfo, *, defaults: bool) -> Schema:
    """Schema of one field: its type, bounds, description and default."""
    annotation, said = unwrap(field.annotation)
    said += flatten(field.metadata)
    schema = value_schema(annotation, said, defaults=defaults)
    if field.description:
        schema = schema | {"description": field.description}
    return schema | (_default(field) if defaults else {})


def value_schema(kind: Any, said: list[Any], *, defaults: bool) -> Schema:
    """Schema of a value of this type, with what was said about it.

    Raises:
        TypeError: a type that no field of a custom resource has.
    """
    if get_origin(kind) is tuple:
        schema = _list_schema(get_args(kind)[0], said, defaults=defaults)
    elif get_origin(kind) is dict:
        schema = _map_schema(get_args(kind), said)
    elif issubclass(kind, Model):
        schema = object_schema(kind, defaults=defaults)
    else:
        schema = _scalar_schema(kind, said)
    rules = [rule for item in said if isinstance(item, Rules) for rule in item.rules]
    return _with_rules(schema, tuple(rules))


def rules_schema(rules: tuple[Rule, ...]) -> Schema:
    """`x-kubernetes-validations`, or nothing where there are no rules."""
    if not rules:
        return {}
    return {"x-kubernetes-validations": [_rule(rule) for rule in rules]}


def _rule(rule: Rule) -> Schema:
    key = "messageExpression" if rule.expression else "message"
    extra = {"optionalOldSelf": True} if rule.optional_old_self else {}
    return {"rule": rule.rule, key: rule.message, **extra}


def _with_rules(schema: Schema, rules: tuple[Rule, ...]) -> Schema:
    both = [*schema.get("x-kubernetes-validations", ()), *(_rule(rule) for rule in rules)]
    return schema | ({"x-kubernetes-validations": both} if both else {})


def _scalar_schema(kind: type, said: list[Any]) -> Schema:
    if issubclass(kind, Enum):
        return {"type": "string", "enum": [str(member.value) for member in kind]}
    if issubclass(kind, bool):
        return {"type": "boolean"}
    if issubclass(kind, int):
        return {"type": "integer", "format": "int64", **number_bounds(said)}
    if issubclass(kind, datetime):
        return {"type": "string", "format": "date-time"}
    if issubclass(kind, str):
        pattern = pattern_of(said) or NO_CONTROL_CHARACTERS
        return {"type": "string", **size_bounds(said, "minLength", "maxLength"), "pattern": pattern}
    raise TypeError(f"{kind}: no field of a custom resource has this type")


def _list_schema(item: Any, said: list[Any], *, defaults: bool) -> Schema:
    kind, said_of_item = unwrap(item)
    return {
        "type": "array",
        **size_bounds(said, "minItems", "maxItems"),
        **list_type(said),
        "items": value_schema(kind, said_of_item, defaults=defaults),
    }


def _map_schema(kinds: tuple[Any, ...], said: list[Any]) -> Schema:
    key, value = kinds
    _, said_of_key = unwrap(key)
    kind, said_of_value = unwrap(value)
    longest = size_bounds(said_of_key, "least", "most")["most"]
    # A structural schema can't bound the keys of a map; CEL can.
    rule = Rule(
        f"self.all(key, size(key) <= {longest})",
        f"VALIDATION_FAILED: a key has at most {longest} characters",
    )
    return {
        "type": "object",
        **size_bounds(said, "minProperties", "maxProperties"),
        "additionalProperties": value_schema(kind, said_of_value, defaults=False),
        **rules_schema((rule,)),
    }


def _default(field: FieldInfo) -> Schema:
    """Scalars default in the schema, and so do groups of them: what is in force can be read off the object."""
    if isinstance(field.default_factory, type) and issubclass(field.default_factory, Model):
        return {"default": {}}
    if any(isinstance(item, StartsEmpty) for item in flatten(field.metadata)):
        return {"default": []}
    value = field.default
    if value is PydanticUndefined or value is None or value == ():
        return {}
    return {"default": str(value.value) if isinstance(value, Enum) else value}


def _required(model: type[Model]) -> list[str]:
    optional: tuple[str, ...] = getattr(model, "__optional_in_schema__", ())
    return [
        _alias(name, field)
        for name, field in model.model_fields.items()
        if field.is_required() and name not in optional
    ]


def _alias(name: str, field: FieldInfo) -> str:
    return field.alias or name


def summary(model: type[Model]) -> str:
    """First paragraph of the model's docstring, on one line."""
    return cleandoc(model.__doc__ or "").split("\n\n")[0].replace("\n", " ")
