"""What is wrong with a saved state? Read from untrusted text; held against what Postgres and the contract say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field, ValidationError

from makima.models.contract import Contract
from makima.models.supervision import Remembered
from makima.models.wire.heartbeat import FUTURE_SECONDS
from makima.models.wire.memory import SCHEMA, SavedState, checksum
from makima.models.wire.message import Message


class _Versioned(Message):
    """The one field that every schema has."""

    schema_version: int = Field(SCHEMA, ge=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a saved state is held against."""

    remembered: Remembered
    phases: frozenset[str]
    now: datetime


def facts_of(remembered: Remembered, contract: Contract, now: datetime) -> Facts:
    """Gather what a state of this contract is held against."""
    phases = contract.status.phases if contract.status is not None else ()
    return Facts(remembered, frozenset(phase.name for phase in phases), now)


def read_saved(payload: str, digest: str, facts: Facts) -> SavedState | str:
    """The state in `payload`, or what is wrong with it, in words that follow "the saved state …"."""
    if not _matches(payload, digest):
        return "does not match its checksum"
    state = _parse(payload)
    return state if isinstance(state, str) else next(_contradictions(state, facts), state)


def _matches(payload: str, digest: str) -> bool:
    try:
        return checksum(payload) == digest
    except UnicodeEncodeError:  # lone surrogates: no UTF-8, so nobody can have made a checksum of it
        return False


def _parse(payload: str) -> SavedState | str:
    try:
        version = _Versioned.model_validate_json(payload).schema_version
        if version > SCHEMA:
            return f"has schema_version {version}; this makima reads up to {SCHEMA}"
        return SavedState.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"can't be read: {where}: {first['msg']}"[:300] if where else f"can't be read: {first['msg']}"[:300]


def _contradictions(state: SavedState, facts: Facts) -> Iterator[str]:
    known = facts.remembered
    ahead = state.saved_at - facts.now
    if ahead > timedelta(seconds=FUTURE_SECONDS):
        yield f"is from the future, by {ahead.total_seconds():.0f} seconds"
    if state.phase not in facts.phases:
        yield f"is in phase {state.phase}, which the contract does not have"
    if state.message_sequence > known.last_message:
        yield f"has seen message {state.message_sequence}, but only {known.last_message} are stored"
    tasks = {task.id for task in known.tasks}
    for task in (*state.spawned_task_ids, *state.waiting_on_task_ids):
        if task not in tasks:
            yield f"names task {task}, which does not exist"
    questions = {question.id for question in known.questions} | known.answered
    for question in state.pending_question_ids:
        if question not in questions:
            yield f"names question {question}, which does not exist"
