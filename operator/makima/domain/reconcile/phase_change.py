"""May the contract move on as asked? (plan 1.2, PhaseChangeResult; plan 1.3, RequiresConfirmation)."""

from __future__ import annotations

from dataclasses import dataclass

from makima.domain.reconcile.gates import NoGate, NotReady, Readiness, Ready, Undecided, next_phase
from makima.domain.reconcile.states import RUNNING
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState

COMPLETED = "Completed"
"""`advance.to` from the last phase."""


@dataclass(frozen=True, slots=True)
class Success:
    """The move is made."""

    to: str
    forced: bool


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """The request is for another version than the contract's."""

    expected: int
    actual: int
    current_phase: str


@dataclass(frozen=True, slots=True)
class RequiresConfirmation:
    """The phase guard wants somebody with the verb confirm to look at these deliverables first."""

    deliverables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValidationFailed:
    """The move is not possible, or not yet."""

    reason: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """The caller may not do this."""

    needs: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """There is no such contract."""


@dataclass(frozen=True, slots=True)
class AskValidator:
    """Everything else agrees: the validator decides."""

    undecided: Undecided


PhaseChange = (
    Success | VersionConflict | RequiresConfirmation | ValidationFailed | Unauthorized | NotFound | AskValidator
)


def destination(status: ContractStatus) -> str:
    """Where the contract goes from here: the next phase, or Completed."""
    following = next_phase(status)
    return following.name if following is not None else COMPLETED


def phase_deliverables(status: ContractStatus) -> tuple[str, ...]:
    """What somebody who confirms should look at: the phase's deliverables and whether each is there."""
    done = {item.id for item in status.deliverables if item.phase == status.phase}
    phase = next(phase for phase in status.phases if phase.name == status.phase)
    return tuple(f"{item.id} ({'complete' if item.id in done else 'open'})" for item in phase.deliverables)


def decide_phase_change(
    status: ContractStatus | None,
    request: AdvanceRequest,
    *,
    guarded: bool,
    readiness: Readiness,
    may_confirm: bool | None = None,
) -> PhaseChange:
    """What becomes of `request`.

    Args:
        status: the contract's status; None if there is no such contract.
        guarded: spec.phaseGuard.
        readiness: of the current phase.
        may_confirm: whether the caller has the verb confirm; None where the API server has already checked it
            (everything that arrives in spec.advance).
    """
    if status is None:
        return NotFound()
    if request.expected_version != status.version:
        return VersionConflict(request.expected_version, status.version, status.phase)
    impossible = _impossible(status, request.to)
    if impossible is not None:
        return impossible
    if request.confirmed and may_confirm is False:
        return Unauthorized("confirm")
    if guarded and not request.confirmed:
        return RequiresConfirmation(phase_deliverables(status))
    return _by_readiness(request, readiness)


def _by_readiness(request: AdvanceRequest, readiness: Readiness) -> PhaseChange:
    match readiness:
        case Ready() | NoGate():
            return Success(request.to, forced=False)
        case _ if request.force:
            return Success(request.to, forced=True)
        case NotReady(missing):
            return ValidationFailed("the gate is not ready", missing)
        case Undecided():
            return AskValidator(readiness)


def _impossible(status: ContractStatus, to: str) -> ValidationFailed | None:
    if status.state not in RUNNING and status.state is not ContractState.CREATED:
        return ValidationFailed(f"the contract is {status.state}; only one that is under way can advance")
    goal = destination(status)
    if to != goal:
        return ValidationFailed(f"from {status.phase} the contract moves to {goal}, not to {to}")
    if to == COMPLETED and status.state is ContractState.CREATED:
        return ValidationFailed("the contract has not started: report a deliverable or register a supervisor first")
    if to == COMPLETED and status.state is ContractState.BLOCKED:
        return ValidationFailed("the contract is Blocked; it completes once its supervisor is no longer blocked")
    return None
