"""Supervisors, heartbeats and what they save, as the stores take them, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from makima.models.enums import CommandKind, SupervisorState, TaskState
from makima.models.supervision import Beat, Session, StoredCommand, StoredQuestion, StoredTask
from makima.models.wire.memory import (
    AppendMessages,
    ConversationMessage,
    SaveCheckpoint,
    SavedState,
    SaveState,
    checksum,
)

NOW = datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC)


def somebody(**changes: Any) -> Session:
    """A supervisor that has no life yet."""
    return replace(Session(uuid4(), uuid4(), "team-a", "move-invoices", 0), **changes)


def beat(session: Session, sequence: int = 1, **changes: Any) -> Beat:
    """A heartbeat of this life."""
    made = Beat(
        contract_id=session.contract_id,
        task_id=session.task_id,
        incarnation=session.incarnation,
        sequence=sequence,
        state=SupervisorState.WORKING,
        phase="plan",
        current_activity="reading the ledger",
        progress=10,
        pending_task_ids=(),
        received_at=NOW,
    )
    return made._replace(**changes)


def message(text: str = "hello", **changes: Any) -> ConversationMessage:
    """One message of a conversation."""
    return ConversationMessage(**{"id": uuid4(), "role": "assistant", "content": text, **changes})


def append(incarnation: int, first: int, *messages: ConversationMessage) -> AppendMessages:
    """A call that appends."""
    return AppendMessages(incarnation=incarnation, first_sequence=first, messages=messages)


def state_payload(**changes: Any) -> str:
    """The text of a state that can be read."""
    values = {"state": SupervisorState.WORKING, "phase": "plan", "saved_at": NOW, **changes}
    return SavedState(**values).model_dump_json()


def save(session: Session, revision: int, payload: str | None = None) -> SaveState:
    """A call that saves a state."""
    text = state_payload(progress=revision % 100) if payload is None else payload
    return SaveState(
        incarnation=session.incarnation,
        task_id=session.task_id,
        revision=revision,
        payload=text,
        checksum=checksum(text),
    )


def checkpoint(incarnation: int, number: int, payload: str = "{}", message_sequence: int = 0) -> SaveCheckpoint:
    """A call that saves a checkpoint."""
    return SaveCheckpoint(
        incarnation=incarnation,
        number=number,
        message_sequence=message_sequence,
        payload=payload,
        checksum=checksum(payload),
    )


def task(session: Session, **changes: Any) -> StoredTask:
    """A task that its supervisor just spawned."""
    made = StoredTask(
        uuid4(),
        session.contract_id,
        "plan",
        "read-the-ledger",
        TaskState.RUNNING,
        NOW,
        incarnation=session.incarnation,
    )
    return replace(made, **changes)


def question(session: Session, **changes: Any) -> StoredQuestion:
    """A question that is not answered."""
    made = StoredQuestion(
        uuid4(), session.contract_id, session.incarnation, "plan", "Which ledger?", ("2025", "2026"), NOW
    )
    return replace(made, **changes)


def command(contract_id: UUID, **changes: Any) -> StoredCommand:
    """A command that waits."""
    made = StoredCommand(uuid4(), contract_id, CommandKind.PAUSE, NOW, {"reason": "lunch"})
    return replace(made, **changes)
