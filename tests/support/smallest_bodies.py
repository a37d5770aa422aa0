"""The smallest body that a call of the OpenAPI document takes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

Schema = dict[str, Any]

SOMETHING = UUID(int=9)
BY_FORMAT = {"uuid": str(SOMETHING), "date-time": "2026-01-01T00:00:00Z", "uri": "https://example.test/1"}
KEYWORDS = ("const", "default")


def smallest_body(document: Schema, call: Schema) -> Any:
    """A body for a call; None where it takes none."""
    body = call.get("requestBody")
    return smallest(document, body["content"]["application/json"]["schema"]) if body else None


def smallest(document: Schema, schema: Schema) -> Any:
    """The smallest value of a schema, as far as a schema tells."""
    schema = _resolved(document, schema)
    for keyword in KEYWORDS:
        if schema.get(keyword) is not None:
            return schema[keyword]
    for keyword in ("examples", "enum"):
        if schema.get(keyword):
            return schema[keyword][0]
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema:
            return smallest(document, schema[keyword][0])
    return _by_type(document, schema)


def _by_type(document: Schema, schema: Schema) -> Any:
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: smallest(document, properties[name]) for name in schema.get("required", ())}
        case "array":
            return [smallest(document, schema.get("items", {}))] * schema.get("minItems", 0)
        case "integer" | "number":
            return int(schema.get("minimum", 1))
        case "boolean":
            return False
        case "string":
            return BY_FORMAT.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))
        case _:
            return {}


def _resolved(document: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][name]
    return schema
