"""Who reported what, read from managedFields: with server-side apply each list entry has its own owner."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def deliverable_owners(managed_fields: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Field manager by (phase, id) of spec.deliverables; entries without an owner, or unreadable, are left out."""
    owners: dict[tuple[str, str], str] = {}
    for entry in managed_fields:
        for key in _inside(entry, "fieldsV1", "f:spec", "f:deliverables"):
            found = _list_key(key)
            if found is not None:
                owners.setdefault(found, str(entry.get("manager") or "")[:253])
    return owners


def _inside(fields: object, *path: str) -> Mapping[str, Any]:
    for name in path:
        fields = fields.get(name) if isinstance(fields, Mapping) else None
    return fields if isinstance(fields, Mapping) else {}


def _list_key(key: str) -> tuple[str, str] | None:
    if not key.startswith("k:"):
        return None
    try:
        parts = json.loads(key[2:])
    except ValueError:
        return None
    phase, identifier = (parts.get("phase"), parts.get("id")) if isinstance(parts, dict) else (None, None)
    return (phase, identifier) if isinstance(phase, str) and isinstance(identifier, str) else None
