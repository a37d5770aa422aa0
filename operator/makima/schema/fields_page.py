"""docs/reference/custom-resources.md: every field of every kind, from the very schema that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from makima.models.markers import API_GROUP, API_VERSION, Model
from makima.schema.constraints import Schema
from makima.schema.crds import KINDS, names_of, root_schema

HEAD = f"""\
# Custom resources

API group `{API_GROUP}`, version `{API_VERSION}`. `kubectl explain contracts.spec` says the same. A list marked *by* its
keys is merged entry by entry under server-side apply; one marked *whole* belongs to whoever wrote it last.
"""


def fields_page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *(_kind(kind) for kind in KINDS)])


def _kind(kind: type[Model]) -> str:
    names, schema = names_of(kind), root_schema(kind)
    shown = f"`kubectl get {names.plural}` (short: {', '.join(names.short)}; or `kubectl get makima`)"
    if names.selectable:
        shown += f"; field selectors: {', '.join(f'`{path[1:]}`' for path in names.selectable)}"
    parts = [f"## {names.kind}\n\n{schema['description']}\n\n{shown}\n"]
    parts += [_table(f"{names.kind}.{part}", schema["properties"][part]) for part in _parts(schema)]
    return "\n".join(parts)


def _parts(schema: Schema) -> list[str]:
    return [name for name in ("spec", "status") if name in schema["properties"]]


def _table(title: str, schema: Schema) -> str:
    rows = "".join(f"| `{path}` | {kind} | {text} |\n" for path, kind, text in _rows(schema, ""))
    rules = "".join(f"- {text}\n" for text in _fixed_messages(schema))
    enforced = f"\nRefused, as any other write that breaks a rule:\n\n{rules}" if rules else ""
    return f"### {title}\n\n| field | type | meaning |\n|---|---|---|\n{rows}{enforced}"


def _fixed_messages(schema: Schema) -> list[str]:
    return [rule["message"] for rule in schema.get("x-kubernetes-validations", ()) if "message" in rule]


def _rows(schema: Schema, prefix: str) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        kind = _type(field) + (", required" if name in required else "")
        yield path, kind, field.get("description", "").replace("|", "\\|")
        yield from _below(field, path)


def _below(field: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    if field["type"] == "object":
        yield from _rows(field, f"{path}.")
    elif field["type"] == "array" and field["items"]["type"] == "object":
        yield from _rows(field["items"], f"{path}[].")


def _type(field: Schema) -> str:
    if field["type"] == "array":
        return f"list of {field['items']['type']}{_merged(field)}, ≤ {field['maxItems']}"
    if "enum" in field:
        return " \\| ".join(field["enum"])
    if "additionalProperties" in field:
        return f"map of {field['additionalProperties']['type']}, ≤ {field['maxProperties']}"
    if field["type"] == "string":
        return "time" if field.get("format") == "date-time" else f"string, ≤ {field['maxLength']}"
    return str(field["type"]) + _range(field)


def _merged(field: Schema) -> str:
    match field["x-kubernetes-list-type"]:
        case "map":
            return f" by {', '.join(field['x-kubernetes-list-map-keys'])}"
        case "set":
            return " (a set)"
        case _:
            return " (whole)"


def _range(field: dict[str, Any]) -> str:
    least, most = field.get("minimum"), field.get("maximum")
    if least is None and most is None:
        return ""
    return f", {'' if least is None else least}…{'' if most is None else most}"
