"""Is a phase done? A gate is an ordered list of small checks, each giving what it misses (plan 2.1, 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from makima.domain.reasons import TransitionReason
from makima.domain.reconcile.validation import Question, Verdict
from makima.models.contract_status import ContractStatus, TaskStatus, Transition
from makima.models.enums import ContractState, Priority, TaskPolicy, TaskState
from makima.models.gate import Gate, Phase, TaskRequirement


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything that the gate requires is there."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """Something is missing, in the plan's words: "Deliverable: plan-document", "1 tasks incomplete"."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoGate:
    """The phase has no gate: it is left by hand only."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Only the validator is open: ask it, and look again."""

    question: Question


DELIVERABLE = "Deliverable: "
"""How a missing deliverable is told (plan 2.1); its id follows."""

Readiness = Ready | NotReady | NoGate | Undecided


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """What the checks of one phase look at."""

    phase: Phase
    gate: Gate
    completed: frozenset[str]
    tasks: tuple[TaskStatus, ...]
    folded_completed: int
    folded_failed: int

    def completed_named(self) -> frozenset[str]:
        """Names of completed tasks."""
        return frozenset(task.name for task in self.tasks if task.state is TaskState.COMPLETED)

    def completed_count(self) -> int:
        """How many tasks completed."""
        return self.folded_completed + sum(task.state is TaskState.COMPLETED for task in self.tasks)

    def incomplete_count(self) -> int:
        """How many tasks are not complete; a failed one counts."""
        return self.folded_failed + sum(task.state is not TaskState.COMPLETED for task in self.tasks)


def facts_of(phase: Phase, gate: Gate, status: ContractStatus) -> PhaseFacts:
    """Gather what belongs to `phase` from the status."""
    counts = [count for count in status.task_counts if count.phase == phase.name]
    return PhaseFacts(
        phase=phase,
        gate=gate,
        completed=frozenset(item.id for item in status.deliverables if item.phase == phase.name),
        tasks=tuple(task for task in status.tasks if task.phase == phase.name),
        folded_completed=sum(count.completed for count in counts),
        folded_failed=sum(count.failed for count in counts),
    )


def missing_deliverables(facts: PhaseFacts) -> tuple[str, ...]:
    """Required deliverables that are not there."""
    required = facts.gate.required_deliverables
    if required is None:
        required = tuple(d.id for d in facts.phase.deliverables if d.priority is Priority.REQUIRED)
    return tuple(f"{DELIVERABLE}{item}" for item in required if item not in facts.completed)


def missing_tasks(facts: PhaseFacts) -> tuple[str, ...]:
    """Tasks that the gate waits for."""
    wanted = facts.gate.required_tasks or TaskRequirement()
    match wanted.policy:
        case TaskPolicy.NONE:
            return ()
        case TaskPolicy.ALL_COMPLETE:
            open_tasks = facts.incomplete_count()
            return (f"{open_tasks} tasks incomplete",) if open_tasks else ()
        case TaskPolicy.MIN_COMPLETE:
            short = (wanted.min or 0) - facts.completed_count()
            return (f"{short} more tasks must complete",) if short > 0 else ()
        case TaskPolicy.NAMED_TASKS:
            done = facts.completed_named()
            return tuple(f"Task: {name}" for name in wanted.names if name not in done)
        case _:
            assert_never(wanted.policy)


CHECKS: tuple[Callable[[PhaseFacts], tuple[str, ...]], ...] = (missing_deliverables, missing_tasks)
"""In the order in which what they miss is shown."""


def deliverables_in(missing: Iterable[str]) -> tuple[str, ...]:
    """Ids of the deliverables among what is missing."""
    return tuple(item.removeprefix(DELIVERABLE) for item in missing if item.startswith(DELIVERABLE))


def fingerprint(uid: str, status: ContractStatus) -> str:
    """Names what a validator is asked about; another phase, deliverable or task is another question.

    A change of state is none, bar the final validation: else a validator that says yes while the contract is Active and
    no while it waits would drive it in circles, a write each time. Deliverables are only added: their number tells.
    """
    final = "final" if status.state is ContractState.COMPLETING else "gate"
    tasks = ",".join(f"{task.id}={task.state}" for task in status.tasks)
    counts = ",".join(f"{c.phase}:{c.completed}/{c.failed}" for c in status.task_counts)
    return f"{uid}/{status.phase}/{final}/{len(status.deliverables)}/{tasks}/{counts}"


def phase_readiness(uid: str, status: ContractStatus, verdict: Verdict | None, now: datetime) -> Readiness:
    """Whether the current phase is done.

    Args:
        uid: the contract's UID, part of the question to a validator.
        verdict: the latest answer of the validator, if one was asked; an old or foreign one is not used.
        now: the time at which the verdict must still be fresh.
    """
    phase = current_phase(status)
    if phase.gate is None:
        return NoGate()
    facts = facts_of(phase, phase.gate, status)
    missing = tuple(item for check in CHECKS for item in check(facts))
    if missing:
        return NotReady(missing)
    if phase.gate.validator is None:
        return Ready()
    question = Question(fingerprint(uid, status), phase.name, phase.gate.validator)
    return _by_verdict(question, verdict, now)


def asked_again_at(uid: str, status: ContractStatus, verdict: Verdict | None, now: datetime) -> datetime | None:
    """When the validator that keeps the current phase from being ready is asked again; None if none does."""
    gate = current_phase(status).gate
    if gate is None or gate.validator is None or verdict is None or verdict.ready:
        return None
    question = Question(fingerprint(uid, status), status.phase, gate.validator)
    return verdict.at + timedelta(seconds=gate.validator.retry_seconds) if verdict.fresh(question, now) else None


def completion_held_until(status: ContractStatus) -> datetime | None:
    """Until when completion by itself holds because a validator changed its mind in the final validation; None = not.

    A validator may look at the state and say yes while Active and no while Completing; without a wait (retrySeconds)
    the contract would go in circles. A new deliverable or a retry ends the wait; a mere change of state does not.
    """
    gate, failed = current_phase(status).gate, _fell_through(status)
    if gate is None or gate.validator is None or failed is None:
        return None
    return failed.time + timedelta(seconds=gate.validator.retry_seconds)


def _fell_through(status: ContractStatus) -> Transition | None:
    """The failed final validation that still speaks of what the validator would be shown now."""
    for item in reversed(status.transitions):
        if item.reason == TransitionReason.FINAL_VALIDATION_FAILED:
            return item
        if item.deliverables or item.from_phase != item.to_phase or item.reason == TransitionReason.RETRIED:
            return None
    return None


def _by_verdict(question: Question, verdict: Verdict | None, now: datetime) -> Readiness:
    if verdict is None or not verdict.fresh(question, now):
        return Undecided(question)
    return Ready() if verdict.ready else NotReady(verdict.missing)


def current_phase(status: ContractStatus) -> Phase:
    """The phase that the contract is in."""
    return next(phase for phase in status.phases if phase.name == status.phase)


def next_phase(status: ContractStatus) -> Phase | None:
    """The phase after the current one, or None in the last."""
    names = [phase.name for phase in status.phases]
    following = names.index(status.phase) + 1
    return status.phases[following] if following < len(names) else None


def phase_progress(phases: tuple[Phase, ...], current: str) -> str:
    """Which of how many phases the current one is, as `2/5`."""
    number = [phase.name for phase in phases].index(current) + 1
    return f"{number}/{len(phases)}"
