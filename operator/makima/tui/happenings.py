"""Events for people: one line each, which of them are important, and those that the resource itself tells of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from makima.domain.monitor.seen_changes import contract_changes, supervisor_changes
from makima.domain.reconcile.history import stale_event, unrecorded_events
from makima.models.contract import Contract
from makima.models.history import HistoryEvent
from makima.models.supervisor import Supervisor
from makima.tui.ages import span_words
from makima.tui.appearance import GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, WHITE, Look
from makima.tui.attention import is_stale
from makima.tui.frames import happening_of
from makima.tui.source import Happening

LOOKS: dict[str, Look] = {
    "StatusChanged": Look("→", "state", SKY),
    "PhaseChanged": Look("»", "phase", SKY),
    "SupervisorStateChanged": Look("·", "supervisor", GREY),
    "Heartbeat": Look("♥", "heartbeat", GREY),
    "StaleDetected": Look("!", "stale", VERMILION),
    "TaskCompleted": Look("✓", "task", GREEN),
    "DeliverableCompleted": Look("✓", "deliverable", GREEN),
    "QuestionAsked": Look("?", "question", ORANGE),
    "QuestionAnswered": Look("✓", "answer", GREEN),
    "ContractCreated": Look("+", "created", WHITE),
    "ContractDeleted": Look("-", "deleted", PURPLE),
}

IMPORTANT_STATES = frozenset({"failed", "interrupted", "blocked", "waiting_for_user"})
"""States of a supervisor that somebody may have to do something about."""


def look_of(event: Happening) -> Look:
    """Symbol, word and colour of an event; a type that this version does not know is shown under its own name."""
    if event.type == "TaskCompleted" and event.fields.get("success") is False:
        return Look("✗", "task", VERMILION)
    return LOOKS.get(event.type, Look("·", event.type, WHITE))


def is_important(event: Happening) -> bool:
    """What `--quiet` leaves, as in the text stream: failures among the routine, and everything that is no routine."""
    if event.type == "TaskCompleted":
        return event.fields.get("success") is False
    if event.type == "SupervisorStateChanged":
        return event.fields.get("new_state") in IMPORTANT_STATES
    return event.type != "Heartbeat"


def sentence(event: Happening) -> str:
    """What happened, in one line."""
    said = SENTENCES.get(event.type, _other)(event.fields)
    return " ".join(said.split())


def _status(fields: Mapping[str, Any]) -> str:
    reason = fields.get("message") or fields.get("reason") or ""
    return f"{fields.get('old_status')} → {fields.get('new_status')}" + (f": {reason}" if reason else "")


def _phase(fields: Mapping[str, Any]) -> str:
    return f"{fields.get('old_phase')} → {fields.get('new_phase')}" + (" (forced)" if fields.get("forced") else "")


def _supervisor(fields: Mapping[str, Any]) -> str:
    return f"{fields.get('old_state') or 'none'} → {fields.get('new_state')}"


def _stale(fields: Mapping[str, Any]) -> str:
    seconds = fields.get("stale_duration")
    length = f" for {span_words(int(seconds))}" if isinstance(seconds, int | float) else ""
    return f"no activity{length}; the last was at {_moment(fields.get('last_activity'))}"


def _moment(value: Any) -> str:
    try:
        return f"{datetime.fromisoformat(str(value)).astimezone():%H:%M:%S on %d %b}"
    except ValueError:
        return str(value)


def _task(fields: Mapping[str, Any]) -> str:
    return f"{fields.get('task_name')} {'failed' if fields.get('success') is False else 'completed'}"


def _deliverable(fields: Mapping[str, Any]) -> str:
    digest = str(fields.get("digest") or "")[:19]
    return f"{fields.get('phase')}/{fields.get('deliverable_id')}" + (f" {digest}" if digest else "")


def _other(fields: Mapping[str, Any]) -> str:
    return str(fields.get("message") or fields.get("question") or fields.get("activity") or "")


SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "StatusChanged": _status,
    "PhaseChanged": _phase,
    "SupervisorStateChanged": _supervisor,
    "StaleDetected": _stale,
    "TaskCompleted": _task,
    "DeliverableCompleted": _deliverable,
}


def told_by(contract: Contract) -> tuple[Happening, ...]:
    """Events that the resource itself still has, oldest first: its last versions, and its open questions."""
    status = contract.status
    if status is None:
        return ()
    found = [_from_history(event) for event in unrecorded_events(contract, status, 0)]
    if is_stale(contract):
        found.append(_from_history(stale_event(contract, status)))
    key = (contract.metadata.namespace, contract.metadata.name)
    for item in status.questions:
        fields = {"question_id": item.id, "question": item.question, "question_type": item.type}
        found.append(Happening("QuestionAsked", item.asked_time, key, contract.metadata.uid, fields=fields))
    return tuple(sorted(found, key=lambda event: event.at))


def seen_in(before: Contract, after: Contract, now: datetime) -> Sequence[Happening]:
    """What happened between two looks at the same resource; what makes events of a watch alone."""
    if before.metadata.uid != after.metadata.uid:
        return told_by(after)
    old = set(map(_identity, told_by(before)))
    versions = [event for event in told_by(after) if _identity(event) not in old]
    frames = (frame for frame in contract_changes(before, after, now) if frame["type"] == "TaskCompleted")
    return [*versions, *(event for event in map(happening_of, frames) if event is not None)]


def supervisor_seen_in(before: Supervisor, after: Supervisor, contract_id: str, now: datetime) -> Sequence[Happening]:
    """The same for a supervisor; its heartbeats are in the resource itself."""
    frames = supervisor_changes(before, after, contract_id, now)
    found = (happening_of(frame) for frame in frames if frame["type"] != "Heartbeat")
    return [event for event in found if event is not None]


def _identity(event: Happening) -> tuple[object, ...]:
    """The same event, whether the resource, the history or the stream tells of it: only the stream knows numbers."""
    if event.type == "QuestionAsked":
        return event.type, event.fields.get("question_id")
    return event.type, event.at, *(event.fields.get(name) for name in TOLD_APART_BY)


TOLD_APART_BY = ("new_status", "new_phase", "deliverable_id", "task_id", "new_state", "question_id")


def merged(past: Sequence[Happening], live: Sequence[Happening]) -> list[Happening]:
    """History and stream together, each event once, in the order in which they happened."""
    seen: dict[tuple[object, ...], Happening] = {}
    for event in (*past, *live):
        seen.setdefault(_identity(event), event)
    return sorted(seen.values(), key=lambda event: (event.at, event.seq or 0))


def _from_history(event: HistoryEvent) -> Happening:
    return Happening(
        type=event.type,
        at=event.at,
        key=(event.namespace, event.contract_name),
        contract_id=str(event.contract_id),
        version=event.version,
        fields=dict(event.payload),
    )
