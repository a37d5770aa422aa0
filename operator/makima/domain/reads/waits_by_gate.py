"""What the current phase still lacks, or who moves it on: the wait when there is no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from makima.domain.reads.wait import TEXT, Case, Command, Kind, Wait, under_way
from makima.domain.reconcile.gates import (
    DELIVERABLE,
    NoGate,
    NotReady,
    Ready,
    current_phase,
    deliverables_in,
    next_phase,
)
from makima.domain.reconcile.phase_change import destination
from makima.domain.reconcile.task_list import ENDED
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState, Priority, SupervisorState

WORKING = frozenset({SupervisorState.WORKING, SupervisorState.WAITING_FOR_TASKS, SupervisorState.INITIALIZING})


def by_gate(case: Case) -> Iterator[Wait]:
    """What the current phase still lacks, or who moves it on."""
    if case.status.state is ContractState.COMPLETING:
        what = "the operator, which checks the last gate once more"
        yield Wait(Kind.VALIDATION, what, case.status.state_changed_time)
        return
    if not under_way(case):
        return
    advance = ("contracts", "advance", case.key)
    match case.readiness:
        case NotReady(missing):
            yield _work(case, missing)
        case NoGate():
            yield from _by_hand(case, advance)
        case Ready() if case.contract.spec.phase_guard:
            return  # a confirmation is waited for, and nobody moves it before that
        case Ready() if not _moves_itself(case):
            yield Wait(
                Kind.ADVANCE,
                f"somebody to move it to {destination(case.status)}",
                ready_since(case.status),
                True,
                advance,
            )
        case Ready():
            since = ready_since(case.status)
            yield Wait(Kind.OPERATOR, f"the operator to move it to {destination(case.status)}", since, command=advance)
        case _:
            yield Wait(Kind.VALIDATION, f"the validator of {case.status.phase}", case.status.phase_start_time)


def _work(case: Case, missing: tuple[str, ...]) -> Wait:
    """A deliverable can be reported by anybody; tasks are ended by nobody but the supervisor whose they are."""
    what, since = ", ".join(missing)[:TEXT], case.status.phase_start_time
    lacking = deliverables_in(missing)
    if not lacking:
        return Wait(Kind.WORK, f"its supervisor: {what}", since)
    return Wait(Kind.WORK, what, since, command=("contracts", "complete-deliverable", case.key, lacking[0]))


def _by_hand(case: Case, advance: Command) -> Iterator[Wait]:
    """A phase without a gate: nobody knows when it is done, but while there is work it is not."""
    what, since = f"somebody to move it to {destination(case.status)}", case.status.phase_start_time
    told = case.supervisor.status.state if case.supervisor is not None and case.supervisor.status is not None else None
    busy = told in WORKING or any(task.state not in ENDED for task in case.status.tasks)
    phase = current_phase(case.status)
    there = {item.id for item in case.status.deliverables if item.phase == phase.name}
    lacking = [item.id for item in phase.deliverables if item.priority is Priority.REQUIRED and item.id not in there]
    if lacking:
        yield Wait(Kind.WORK, ", ".join(f"{DELIVERABLE}{item}" for item in lacking)[:TEXT], since, command=advance)
        return
    yield Wait(Kind.ADVANCE, what, since, not busy, advance)


def _moves_itself(case: Case) -> bool:
    gate = current_phase(case.status).gate
    if next_phase(case.status) is None:
        return case.contract.spec.auto_complete
    return gate is not None and gate.auto_advance


def ready_since(status: ContractStatus) -> datetime | None:
    """When the last deliverable or task of the phase came, as nothing says when the gate was ready."""
    moments = [item.completed_time for item in status.deliverables if item.phase == status.phase]
    moments += [task.completion_time for task in status.tasks if task.phase == status.phase and task.completion_time]
    return max(moments, default=status.phase_start_time)
