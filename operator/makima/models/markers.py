"""What a model says about its schema beyond types: list keys, CEL rules, columns.

The markers carry no behaviour. `makima.schema` reads them when it writes the CRDs; pydantic ignores them.
Sources: Kubernetes API conventions (list types, printer columns) and KEP-2876 (CEL rules in CRDs).
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Base of every value: frozen, camelCase on the wire, unknown fields ignored as the API server prunes them."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore", ser_json_inf_nan="null"
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """One `x-kubernetes-validations` entry.

    Attributes:
        rule: CEL over `self` (and `oldSelf`, which makes it a transition rule).
        message: fixed text, or CEL that gives text if `expression` is true; begins with the plan's error code.
        expression: `message` is a CEL expression.
        optional_old_self: the rule also holds at creation, where `oldSelf` is an empty optional.
    """

    rule: str
    message: str
    expression: bool = False
    optional_old_self: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """Field marker: rules on this field's value. On a class, set `__rules__: ClassVar[tuple[Rule, ...]]` instead."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class ListMap:
    """List marker: entries are merged by these keys (server-side apply gives each entry its own owner)."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetList:
    """List marker: entries are scalars and appear once."""


@dataclass(frozen=True, slots=True)
class AtomicList:
    """List marker: whoever writes the list owns all of it."""


@dataclass(frozen=True, slots=True)
class StartsEmpty:
    """List marker: an absent list is stored as an empty one, so that a JSON patch can always append to it."""


@dataclass(frozen=True, slots=True)
class NotInSchema:
    """Field marker: a value that only decisions use; it is not part of the resource."""


@dataclass(frozen=True, slots=True)
class Column:
    """One printer column of `kubectl get`; priority 1 shows only with `-o wide`."""

    name: str
    json_path: str
    type: str = "string"
    description: str = ""
    priority: int = 0
    format: str = ""


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """Names under which the API server offers a kind, and what `kubectl get` shows of it."""

    kind: str
    plural: str
    singular: str
    short: tuple[str, ...]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    categories: tuple[str, ...] = ("makima",)


API_GROUP = "makima.dev"
API_VERSION = "v1alpha1"
MONITOR_GROUP = "monitor.makima.dev"
MONITOR_VERSION = "v1alpha1"
