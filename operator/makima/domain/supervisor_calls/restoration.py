"""How does a supervisor come back? One pure decision, in the plan's order (plan 3.4; design, "Restoration").

No state → fresh; invalid → the newest checkpoint that is valid; pending questions → asked already, only waited for;
waiting tasks → waited for again; else → resumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makima.domain.reconcile.task_list import ENDED
from makima.domain.supervisor_calls.saved_state import Facts, facts_of, read_saved
from makima.models.contract import Contract
from makima.models.enums import RestorationOutcome, TaskState
from makima.models.supervision import Remembered, StoredCheckpoint, StoredMessage, StoredQuestion, StoredTask
from makima.models.wire.memory import SavedState
from makima.models.wire.registration import Restoration, RestoredMessage
from makima.models.wire.work import AskedQuestion, TaskReport

SPAWNED_SINCE = 256
"""Most tasks in `Restoration.spawned_since`, newest last."""

REASON = 1024
"""Characters of a reason (`makima.models.bounds.Sentence`)."""


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a life goes on from, and why just that."""

    state: SavedState | None
    outcome: RestorationOutcome | None
    reasons: tuple[str, ...]


def restore(remembered: Remembered, contract: Contract, now: datetime) -> Restoration:
    """How the next life of the supervisor goes on.

    Args:
        remembered: everything that was saved; payloads are untrusted text.
        contract: as accepted; a state in a phase that it does not have is invalid.
        now: the server's clock; a state saved more than five minutes ahead of it is invalid.
    """
    basis = _basis(remembered, facts_of(remembered, contract, now))
    waited = _waited_for(remembered, basis.state)
    outcome = basis.outcome or _outcome(remembered, waited)
    reasons = (*basis.reasons, *_reasons(remembered, basis.state, waited))
    return Restoration(
        outcome=outcome,
        reason="; ".join(reasons).replace("\0", "")[:REASON],  # a tool call may hold what Postgres can't store
        state=basis.state,
        revision=remembered.state.revision if remembered.state is not None else 0,
        message_sequence=remembered.last_message,
        messages=tuple(_message(item) for item in remembered.messages),
        checkpoint=max((item.number for item in remembered.checkpoints), default=0),
        questions=tuple(_question(item) for item in remembered.questions),
        waiting_on=tuple(_report(item) for item in waited),
        spawned_since=tuple(_report(item) for item in _spawned_since(remembered, basis.state)),
    )


def _basis(remembered: Remembered, facts: Facts) -> _Basis:
    """Where to go on from. An outcome is named only where the state itself is not what is gone on from."""
    if remembered.state is None:
        return _Basis(None, RestorationOutcome.FRESH, ("there is no saved state: starts afresh",))
    state = read_saved(remembered.state.payload, remembered.state.checksum, facts)
    if isinstance(state, SavedState):
        return _Basis(state, None, ())
    wrong: tuple[str, ...] = (f"the saved state (revision {remembered.state.revision}) {state}",)
    for checkpoint in sorted(remembered.checkpoints, key=lambda item: item.number, reverse=True):
        read = _read_checkpoint(checkpoint, facts)
        if isinstance(read, SavedState):
            used = f"goes on from checkpoint {checkpoint.number}"
            return _Basis(read, RestorationOutcome.CHECKPOINT, (*wrong, used))
        wrong = (*wrong, f"checkpoint {checkpoint.number} {read}")
    none = () if remembered.checkpoints else ("there is no checkpoint",)
    return _Basis(None, RestorationOutcome.FRESH, (*wrong, *none, "starts afresh"))


def _read_checkpoint(checkpoint: StoredCheckpoint, facts: Facts) -> SavedState | str:
    if checkpoint.message_sequence > facts.remembered.last_message:
        stored = facts.remembered.last_message
        return f"ends at message {checkpoint.message_sequence}, but only {stored} are stored"
    return read_saved(checkpoint.payload, checkpoint.checksum, facts)


def _outcome(remembered: Remembered, waited: tuple[StoredTask, ...]) -> RestorationOutcome:
    if remembered.questions:
        return RestorationOutcome.QUESTIONS_REDELIVERED
    if any(task.state not in ENDED for task in waited):
        return RestorationOutcome.WAITING_FOR_TASKS
    return RestorationOutcome.RESUMED


def _reasons(remembered: Remembered, state: SavedState | None, waited: tuple[StoredTask, ...]) -> Iterator[str]:
    if state is not None:
        yield f"state saved at message {state.message_sequence} of {remembered.last_message}"
    if state is not None and state.open_tool_call is not None:
        yield f"it was in the middle of a tool call ({state.open_tool_call[:200]}): look whether that took effect"
    if remembered.questions:
        number = len(remembered.questions)
        wait = "1 question waits" if number == 1 else f"{number} questions wait"
        yield f"{wait} for an answer, and must not be asked again"
    if waited:
        done = [task for task in waited if task.state in ENDED]
        failed = sum(task.state is TaskState.FAILED for task in done)
        yield f"of {len(waited)} tasks waited for, {len(done)} ended meanwhile ({failed} of them failed)"
    since = len(_spawned_since(remembered, state))
    if since:
        yield f"{since} tasks were spawned after that, and are not to be spawned again"


def _waited_for(remembered: Remembered, state: SavedState | None) -> tuple[StoredTask, ...]:
    wanted: frozenset[UUID] = frozenset(state.waiting_on_task_ids) if state is not None else frozenset()
    return tuple(task for task in remembered.tasks if task.id in wanted)


def _spawned_since(remembered: Remembered, state: SavedState | None) -> tuple[StoredTask, ...]:
    known = {*state.spawned_task_ids, *state.waiting_on_task_ids} if state is not None else set()
    return tuple(task for task in remembered.tasks if task.id not in known)[-SPAWNED_SINCE:]


def _message(item: StoredMessage) -> RestoredMessage:
    return RestoredMessage(
        id=item.id, role=item.role, content=item.content, timestamp=item.sent_at, sequence=item.sequence
    )


def _question(item: StoredQuestion) -> AskedQuestion:
    return AskedQuestion(id=item.id, text=item.text, options=item.options, asked_at=item.asked_at)


def _report(item: StoredTask) -> TaskReport:
    return TaskReport.model_validate(
        {
            "id": item.id,
            "name": item.name,
            "phase": item.phase,
            "state": item.state.snake,
            "template": item.template,
            "message": item.message,
            "created_at": item.created_at,
            "completed_at": item.completed_at,
        }
    )
