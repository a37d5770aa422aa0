"""A line of JSON from a program that nobody vouches for: found, bounded, and fit to be stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TEXT = 256 * 1024
"""Characters of a message that are kept: with every escape of JSON still within one call."""

SHORT = 200
"""Characters of an activity, a name, a reason."""

ID = 256
"""Characters of an id or a key; a longer one is none."""


def object_of(line: bytes) -> Mapping[str, Any] | None:
    """The JSON object that the line is, or None if it is anything else. Never raises."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def clean(text: str, limit: int = TEXT) -> str:
    """The text as UTF-8 and Postgres can hold it (no lone surrogates, no NUL), cut at `limit` characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return cut.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def text_at(value: object, *path: str, limit: int = TEXT) -> str:
    """The string at this path, cleaned; "" where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return clean(value, limit) if isinstance(value, str) else ""


def id_at(value: object, *path: str) -> str:
    """The id at this path; "" where there is none, or one that no program makes."""
    found = text_at(value, *path, limit=ID + 1)
    return found if len(found) <= ID and found.isprintable() else ""


def one_line(text: str, limit: int = SHORT) -> str:
    """The text as one short line that a person can read in a table."""
    return clean(" ".join(text[: limit * 4].split()), limit)


def described(name: str, value: object) -> str:
    """A tool call in one line: its name, and its input as compact JSON."""
    if not value:
        return one_line(name)
    try:
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        shown = ""
    return one_line(f"{name} {shown}")
