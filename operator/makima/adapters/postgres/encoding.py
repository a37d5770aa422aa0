"""From history values to JSON that Postgres can store, whatever people and agents wrote."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar
from uuid import UUID

from makima.models.history import ContractRow, HistoryBatch, HistoryEvent, TaskRow

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Postgres stores no NUL, and UTF-8 has no lone surrogates."""

NUL = "\\u0000"
"""How JSON writes a NUL. (An escaped backslash before u0000 looks the same, and only costs time.)"""

ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str)

ROW_FIELDS = tuple(field.name for field in fields(ContractRow) if field.name != "deleted_at")
TASK_FIELDS = tuple(field.name for field in fields(TaskRow))
EVENT_FIELDS = tuple(field.name for field in fields(HistoryEvent))

Value = TypeVar("Value", ContractRow, TaskRow, HistoryEvent)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that can't be stored, named for whoever reads the log, and why."""

    entry: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to store, as JSON; `label` is what to call it if it can't be stored."""

    label: str
    id: UUID
    json: str


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """One entry for each contract, task and event; contracts and tasks in the order of their locks."""

    rows: tuple[Entry, ...] = ()
    tasks: tuple[Entry, ...] = ()
    events: tuple[Entry, ...] = ()

    def __len__(self) -> int:
        return len(self.rows) + len(self.tasks) + len(self.events)

    def halves(self) -> tuple[EncodedBatch, EncodedBatch]:
        """Both halves, in order; each is shorter if there are two entries or more."""
        tagged = [("rows", e) for e in self.rows]
        tagged += [("tasks", e) for e in self.tasks]
        tagged += [("events", e) for e in self.events]
        middle = len(tagged) // 2
        return _from_tagged(tagged[:middle]), _from_tagged(tagged[middle:])

    def labels(self) -> tuple[str, ...]:
        """What the entries are called."""
        return tuple(entry.label for entry in (*self.rows, *self.tasks, *self.events))


def _from_tagged(tagged: Iterable[tuple[str, Entry]]) -> EncodedBatch:
    parts: dict[str, list[Entry]] = {"rows": [], "tasks": [], "events": []}
    for part, entry in tagged:
        parts[part].append(entry)
    return EncodedBatch(*(tuple(parts[name]) for name in ("rows", "tasks", "events")))


def encode(batch: HistoryBatch) -> tuple[EncodedBatch, list[Refusal]]:
    """The batch as JSON; what can't even be written down is refused."""
    refused: list[Refusal] = []
    rows = _encode_all(newest_rows(batch.rows), _row, refused)
    tasks = _encode_all(furthest_tasks(batch.tasks), _task, refused)
    events = _encode_all(_unique_events(batch.events), _event, refused)
    return EncodedBatch(rows, tasks, events), refused


def newest_rows(rows: Iterable[ContractRow]) -> list[ContractRow]:
    """One row for each contract: the newest; sorted by uid."""
    best: dict[Any, ContractRow] = {}
    for row in rows:
        known = best.get(row.uid)
        if known is None or _age(known) <= _age(row):
            best[row.uid] = row
    return sorted(best.values(), key=lambda row: row.uid)


def _age(row: ContractRow) -> tuple[int, int]:
    text = row.resource_version
    return row.version, int(text) if text.isdecimal() else -1


TASK_ORDER = ("pending", "running", "completed", "failed")


def furthest_tasks(tasks: Iterable[TaskRow]) -> list[TaskRow]:
    """One row for each task: the first that says that it ended, else the furthest; sorted by id."""
    best: dict[Any, TaskRow] = {}
    for task in tasks:
        known = best.get(task.id)
        if known is None or _progress(known) < _progress(task):
            best[task.id] = task
    return sorted(best.values(), key=lambda task: task.id)


def _progress(task: TaskRow) -> int:
    return min(TASK_ORDER.index(task.state), 2) if task.state in TASK_ORDER else -1


def _unique_events(events: Iterable[HistoryEvent]) -> list[HistoryEvent]:
    first: dict[Any, HistoryEvent] = {}
    for event in events:
        first.setdefault(event.id, event)
    return list(first.values())


def _encode_all(values: Iterable[Value], write: Callable[[Value], str], refused: list[Refusal]) -> tuple[Entry, ...]:
    entries = []
    for value in values:
        try:
            entries.append(Entry(_label(value), _key(value), write(value)))
        except (ValueError, TypeError, RecursionError) as error:
            refused.append(Refusal(_label(value), f"{type(error).__name__}: {error}"))
    return tuple(entries)


def _key(value: ContractRow | TaskRow | HistoryEvent) -> UUID:
    return value.uid if isinstance(value, ContractRow) else value.id


def _label(value: ContractRow | TaskRow | HistoryEvent) -> str:
    if isinstance(value, ContractRow):
        return clean(f"contract {value.namespace}/{value.name} ({value.uid})")
    if isinstance(value, TaskRow):
        return clean(f"task {value.name} ({value.id}) of contract {value.contract_id}")
    version = "" if value.version is None else f" version {value.version}"
    return clean(f"event {value.type}{version} of {value.namespace}/{value.contract_name} ({value.id})")


def _row(row: ContractRow) -> str:
    values = {name: getattr(row, name) for name in ROW_FIELDS}
    return to_json({**values, "resource_version": int(row.resource_version)})


def _task(task: TaskRow) -> str:
    if task.state not in TASK_ORDER:
        raise ValueError(f"task state {task.state!r} is none of {', '.join(TASK_ORDER)}")
    return to_json({name: getattr(task, name) for name in TASK_FIELDS})


def _event(event: HistoryEvent) -> str:
    return to_json({name: getattr(event, name) for name in EVENT_FIELDS})


def to_json(value: Mapping[str, Any]) -> str:
    """JSON text that Postgres takes: times, ids, NaN and infinities as text, U+FFFD for what it can't store.

    Raises:
        RecursionError: nested too deeply, or in itself.
    """
    try:
        text = ENCODER.encode(value)
        text.encode()  # fails on lone surrogates
    except (ValueError, TypeError):
        return json.dumps(_storable(value), ensure_ascii=False, default=_text)
    return json.dumps(_storable(value), ensure_ascii=False, default=_text) if NUL in text else text


def clean(text: str) -> str:
    """The text with U+FFFD for every character that Postgres can't store."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def _text(value: object) -> str:
    return clean(str(value))


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {_text(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
