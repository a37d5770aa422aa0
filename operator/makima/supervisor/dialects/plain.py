"""Any program: its lines are its activity, and a line of JSON with a `makima` key says more.

| line | means |
|---|---|
| `{"makima": "message", "text": T, "key": K?}` | a message of the conversation |
| `{"makima": "task", "key": K, "name": N, "template": T?, "arguments": [..]?}` | begins a task |
| `{"makima": "task_end", "key": K, "ok": true or false, "message": M?}` | ends it |
| `{"makima": "question", "key": K, "text": T, "options": [..]?}` | asks a person; the program ends and is run again |
| `{"makima": "deliverable", "id": I, "phase": P?, "uri": U?, "digest": D?}` | it is there |
| `{"makima": "progress", "percent": 0..100}` | of the phase |
| `{"makima": "activity", "text": T}` | what it does |
| `{"makima": "advance", "to": P, "reason": R?}` | asks for the next phase |

A key is the program's own name for a thing, unique in its contract: a program that is run again and says the same again
repeats nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from makima.supervisor.dialects.events import (
    AdvanceWanted,
    Asked,
    Delivered,
    Doing,
    Event,
    Events,
    Progressed,
    Said,
    TaskEnded,
    TaskSpawned,
)
from makima.supervisor.dialects.json_line import id_at, object_of, one_line, text_at

Report = Mapping[str, Any]


def parse(line: bytes) -> Events | None:
    """What the line says; an empty line says nothing; None: it has a `makima` key, but is no report of the table."""
    found = object_of(line) if line.lstrip().startswith(b"{") else None
    if found is None or "makima" not in found:
        text = one_line(line[:4096].decode("utf-8", "replace"))
        return (Doing(text),) if text else ()
    kind = found["makima"]
    read = REPORTS.get(kind) if isinstance(kind, str) else None
    event = read(found) if read is not None else None
    return (event,) if event is not None else None


def _message(report: Report) -> Event | None:
    text = text_at(report, "text")
    return Said(text, id_at(report, "key") or None) if text else None


def _task(report: Report) -> Event | None:
    key, name = id_at(report, "key"), id_at(report, "name")
    template = id_at(report, "template") or None
    return TaskSpawned(key, name, template, _strings(report.get("arguments"), 16, 1024)) if key and name else None


def _task_end(report: Report) -> Event | None:
    key, ok = id_at(report, "key"), report.get("ok")
    return TaskEnded(key, ok, text_at(report, "message", limit=256)) if key and isinstance(ok, bool) else None


def _question(report: Report) -> Event | None:
    key, text = id_at(report, "key"), text_at(report, "text", limit=1024)
    return Asked(key, text, _strings(report.get("options"), 8, 256)) if key and text else None


def _deliverable(report: Report) -> Event | None:
    name, optional = id_at(report, "id"), ("phase", "uri", "digest")
    phase, uri, digest = (text_at(report, field, limit=512) or None for field in optional)
    return Delivered(name, phase, uri, digest) if name else None


def _progress(report: Report) -> Event | None:
    percent = report.get("percent")
    if not isinstance(percent, int) or isinstance(percent, bool):
        return None
    return Progressed(percent) if 0 <= percent <= 100 else None


def _activity(report: Report) -> Event | None:
    text = one_line(text_at(report, "text"))
    return Doing(text) if text else None


def _advance(report: Report) -> Event | None:
    to = id_at(report, "to")
    return AdvanceWanted(to, text_at(report, "reason", limit=256)) if to else None


def _strings(value: object, most: int, limit: int) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else []
    return tuple(text_at({"": each}, "", limit=limit) for each in listed[:most] if isinstance(each, str) and each)


REPORTS: dict[str, Callable[[Report], Event | None]] = {
    "message": _message,
    "task": _task,
    "task_end": _task_end,
    "question": _question,
    "deliverable": _deliverable,
    "progress": _progress,
    "activity": _activity,
    "advance": _advance,
}
