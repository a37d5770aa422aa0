"""Would the contract complete? (plan 2.4, check-completion). Nothing is changed by asking."""

from __future__ import annotations

from dataclasses import dataclass

from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.gates import NoGate, NotReady, Readiness, Ready, current_phase, next_phase
from makima.domain.reconcile.progress import advances_by_itself
from makima.domain.reconcile.states import FINISHED
from makima.models.enums import ContractState

S = ContractState


@dataclass(frozen=True, slots=True)
class Completion:
    """Whether everything is there, whether it completes by itself now, and what is missing."""

    ready: bool
    would_complete: bool
    missing: tuple[str, ...]


def check_completion(draft: Draft, readiness: Readiness) -> Completion:
    """What stands between the contract and Completed, with the readiness of its current phase."""
    status = draft.status
    if status.state in FINISHED:
        done = status.state is S.COMPLETED
        return Completion(done, False, () if done else (f"State: {status.state.snake}",))
    missing = _missing(draft, readiness)
    ready = not missing
    return Completion(ready, ready and _by_itself(draft, readiness), missing)


def _missing(draft: Draft, readiness: Readiness) -> tuple[str, ...]:
    """What the gate misses, then the phases that are still ahead."""
    names = [phase.name for phase in draft.status.phases]
    ahead = tuple(f"Phase: {name}" for name in names[names.index(draft.status.phase) + 1 :])
    match readiness:
        case NotReady(missing):
            return (*missing, *ahead)
        case Ready() | NoGate():
            return ahead
        case _:
            return ("The validator has not answered", *ahead)


def _by_itself(draft: Draft, readiness: Readiness) -> bool:
    if draft.status.state is S.COMPLETING:
        return True
    under_way = draft.status.state in (S.ACTIVE, S.WAITING_FOR_INPUT) and not draft.suspended
    gated = isinstance(readiness, Ready) and current_phase(draft.status).gate is not None
    last = next_phase(draft.status) is None
    return under_way and gated and last and not draft.spec.phase_guard and advances_by_itself(draft)
