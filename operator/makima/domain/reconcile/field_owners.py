"""Who reported or asked for what, and when, read from managedFields: each entry of a list has its own owner."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

READ = ("f:deliverables", "f:advance")
"""Fields of the spec whose owner the operator asks for; the time of an answer is for who looks at a contract."""


def read_owners(managed_fields: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As much of managedFields as the functions below read."""
    kept = []
    for entry in managed_fields:
        spec = _inside(entry, "fieldsV1", "f:spec")
        if found := {name: spec[name] for name in READ if name in spec}:
            kept.append({**entry, "fieldsV1": {"f:spec": found}})
    return kept


def deliverable_owners(managed_fields: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Field manager by (phase, id) of spec.deliverables; entries without an owner, or unreadable, are left out."""
    owners: dict[tuple[str, str], str] = {}
    for entry in managed_fields:
        for key in _inside(entry, "fieldsV1", "f:spec", "f:deliverables"):
            found = _list_key(key)
            if found is not None:
                owners.setdefault(found, str(entry.get("manager") or "")[:253])
    return owners


def advance_owner(managed_fields: Iterable[Mapping[str, Any]]) -> str | None:
    """Field manager that wrote spec.advance last, as far as Kubernetes says (it names programs, not people)."""
    writers = [entry for entry in managed_fields if _inside(entry, "fieldsV1", "f:spec", "f:advance")]
    latest = max(writers, key=lambda entry: str(entry.get("time") or ""), default=None)
    return (str(latest.get("manager") or "")[:253] or None) if latest is not None else None


def answered_time(managed_fields: Iterable[Mapping[str, Any]], question_id: str) -> datetime | None:
    """When the answer in spec.answers was written, or its writer wrote something later; None if nothing tells."""
    field = f"k:{json.dumps({'questionId': question_id}, separators=(',', ':'))}"
    writers = (entry for entry in managed_fields if field in _inside(entry, "fieldsV1", "f:spec", "f:answers"))
    try:
        return max((datetime.fromisoformat(str(entry.get("time"))) for entry in writers), default=None)
    except ValueError:
        return None


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
