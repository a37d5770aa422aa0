"""From rows of the supervisors' tables to values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from makima.models.enums import CommandKind, RestorationOutcome, SupervisorState, TaskState
from makima.models.supervision import (
    Beat,
    Session,
    Span,
    StoredCheckpoint,
    StoredCommand,
    StoredMessage,
    StoredQuestion,
    StoredState,
    StoredTask,
)

STATES = {state.snake: state for state in SupervisorState}
OUTCOMES = {outcome.snake: outcome for outcome in RestorationOutcome}
KINDS = {kind.snake: kind for kind in CommandKind}
TASK_STATES = {state.snake: state for state in TaskState}

Row = Mapping[str, Any]


def session_row(row: Row) -> Session:
    """A row of `supervisors`."""
    values = dict(row)
    values["state"] = STATES[values["state"]]
    values["pending_task_ids"] = tuple(values["pending_task_ids"])
    values["restoration"] = None if values["restoration"] is None else OUTCOMES[values["restoration"]]
    return Session(**values)


def beat_row(row: Row) -> Beat:
    """A row of `supervisor_heartbeats`."""
    values = dict(row)
    values["state"] = STATES[values["state"]]
    values["pending_task_ids"] = tuple(values["pending_task_ids"])
    return Beat(**values)


def state_row(row: Row) -> StoredState:
    """A row of `supervisor_states`."""
    return StoredState(**row)


def checkpoint_row(row: Row) -> StoredCheckpoint:
    """A row of `supervisor_checkpoints`."""
    return StoredCheckpoint(**row)


def message_row(row: Row) -> StoredMessage:
    """A row of `supervisor_messages`."""
    return StoredMessage(**row)


def question_row(row: Row) -> StoredQuestion:
    """A row of `questions`."""
    return StoredQuestion(**{**row, "options": tuple(row["options"])})


def task_row(row: Row) -> StoredTask:
    """A row of `tasks`."""
    return StoredTask(**{**row, "state": TASK_STATES[row["state"]], "arguments": tuple(row["arguments"])})


def command_row(row: Row) -> StoredCommand:
    """A row of `commands`."""
    return StoredCommand(**{**row, "kind": KINDS[row["kind"]]})


def span_row(row: Row) -> Span:
    """A row of `ingest_coverage`."""
    return Span(**row)
