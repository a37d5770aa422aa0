"""The largest objects that the schemas permit, built from the schemas alone.

Every list is full and every text as long as it may be. Free text is made of characters of three bytes, as Japanese is:
with ASCII alone an object is smaller, with nothing but emoji or `<` it may be larger, and then the API server refuses
the write with "request is too large".
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from makima.models.pod_template import WORDS
from makima.schema.crds import KINDS, names_of, root_schema

ETCD_REQUEST_LIMIT = 1_572_864
"""Bytes; etcd's default for --max-request-bytes, 1.5 MiB."""

ALLOWANCE = 256 * 1024
"""Bytes left for what Kubernetes itself adds: managedFields, labels, annotations, the request around the object."""

LEFT_OUT = {
    "value",  # of a variable or a toleration: a reference is longer, and the words of a container are all in `command`
    "configMapKeyRef",
    "args",
    "configMap",
    "emptyDirSize",
    "persistentVolumeClaim",
    "http",
    "min",
}
"""Fields that exclude a longer one beside them."""

WIDE = "\u307e"


def largest(kind: str) -> dict[str, Any]:
    """The largest permitted object of this kind, without metadata."""
    model = next(model for model in KINDS if names_of(model).kind == kind)
    schema = root_schema(model)
    return {part: value(schema["properties"][part], 0) for part in ("spec", "status") if part in schema["properties"]}


def size_of(body: Any) -> int:
    """Bytes of the JSON that etcd gets to store."""
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def value(schema: dict[str, Any], number: int) -> Any:
    """The largest value of this schema; another `number` gives another value where there are several."""
    match schema["type"]:
        case "object" if "additionalProperties" in schema:
            return {
                _key(index): value(schema["additionalProperties"], index) for index in range(schema["maxProperties"])
            }
        case "object":
            return _largest_of(schema, number)
        case "array":
            return [value(schema["items"], index) for index in range(schema["maxItems"])]
        case "integer":
            return schema.get("maximum", 2**53) - number
        case "boolean":
            return False
        case _:
            return text(schema, number)


def _largest_of(schema: dict[str, Any], number: int) -> dict[str, Any]:
    fields = {name: value(part, number) for name, part in schema["properties"].items() if name not in LEFT_OUT}
    if "gate" in fields:
        # A gate names deliverables of its own phase.
        fields["gate"]["requiredDeliverables"] = [item["id"] for item in fields["deliverables"]]
    if "command" in fields:
        # The words of a container are counted in bytes.
        fields["command"] = ["a" * 512] * (WORDS // 512)
    if "names" in fields and "policy" in fields:
        fields["policy"] = "NamedTasks"
    return fields


def _key(number: int) -> str:
    return f"k{number}".ljust(253, "a")


def text(schema: dict[str, Any], number: int) -> str:
    """The longest string that the schema permits, begun with `number` where its pattern lets it."""
    if "enum" in schema:
        return max(schema["enum"], key=len)
    if schema.get("format") == "date-time":
        return "2026-11-22T10:00:00.000000Z"
    longest = schema["maxLength"]
    candidates = (
        str(UUID(int=number)),
        f"{number}{WIDE * longest}"[:longest],
        f"p{number}".ljust(longest, "a"),
        f"/{number}".ljust(longest, "a"),
        chr(ord("A") + number % 26).ljust(longest, "a"),
        "1" * longest,
        "sha256:".ljust(longest, "f"),
        "PreferNoSchedule",
    )
    fitting = [found for found in candidates if re.search(schema["pattern"], found) and len(found) <= longest]
    return max(fitting, key=lambda found: len(found.encode()))
