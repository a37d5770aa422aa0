"""Who reported what, read from managedFields: with server-side apply each list entry has its own owner."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def deliverable_owners(managed_fields: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Field manager by (phase, id) of spec.deliverables; entries nobody is on record for are left out."""
    owners: dict[tuple[str, str], str] = {}
    for entry in managed_fields:
        spec = (entry.get("fieldsV1") or {}).get("f:spec") or {}
        for key in spec.get("f:deliverables") or {}:
            found = _list_key(key)
            if found is not None:
                owners.setdefault(found, str(entry.get("manager", ""))[:253])
    return owners


def _list_key(key: str) -> tuple[str, str] | None:
    if not key.startswith("k:"):
        return None
    parts = json.loads(key[2:])
    return (parts["phase"], parts["id"]) if {"phase", "id"} <= parts.keys() else None
