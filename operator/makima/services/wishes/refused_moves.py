"""Why a move is not made: the plan's PhaseChangeResult as the answer to a call."""

from __future__ import annotations

from typing import assert_never

from makima.domain.reconcile.phase_change import (
    AskValidator,
    NotFound,
    PhaseChange,
    RequiresConfirmation,
    Success,
    Unauthorized,
    ValidationFailed,
    VersionConflict,
)
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import ContractStatus
from makima.models.enums import AdvanceOutcome
from makima.models.wire.problem import Code
from makima.services.access.contract_lookup import ContractId, no_contract
from makima.services.reads.contract_views import deliverables
from makima.services.refusals import Refused, refusal


def refused_move(change: PhaseChange, status: ContractStatus, command: str) -> Refused:
    """The answer to a move that is not made; its details have the fields of the plan's PhaseChangeResult.

    Args:
        command: the same wish by kubectl.
    """
    match change:
        case VersionConflict(expected, actual, phase):
            return refusal(
                Code.VERSION_CONFLICT,
                f"expected version {expected}, but the contract has {actual}, in phase {phase}",
                field="expected_version",
                hint=f"look at the contract again, then ask for version {actual}",
                expected=expected,
                actual=actual,
                current_phase=phase,
            )
        case RequiresConfirmation():
            here = [one for one in deliverables(status) if one.phase == status.phase]
            return refusal(
                Code.PHASE_GUARD_REQUIRED,
                f"leaving {status.phase} waits for a confirmation by somebody who has the verb confirm",
                field="confirmed",
                hint="look at the deliverables, then ask again with confirmed: true",
                current_phase=status.phase,
                version=status.version,
                deliverables=[one.model_dump(mode="json") for one in here],
            )
        case ValidationFailed(reason, missing):
            return refusal(
                Code.VALIDATION_FAILED,
                f"{reason}: {', '.join(missing)}" if missing else reason,
                hint="complete what is missing, or say force: true" if missing else "look at the contract's state",
                reason=reason,
                missing_requirements=list(missing),
                missing=list(missing),
                current_phase=status.phase,
            )
        case Unauthorized(needs):
            hint = f"somebody who has the verb {needs} does it, or binds you makima-confirm; as such: {command}"
            return refusal(Code.FORBIDDEN, f"this needs the verb {needs} on the contract", hint=hint, needs=needs)
        case NotFound():
            return no_contract(ContractId())
        case Success() | AskValidator():
            raise AssertionError(f"{change} is no refusal")
        case _:
            assert_never(change)


def as_told(status: ContractStatus, request: AdvanceRequest) -> PhaseChange:
    """What the operator answered, as the result that it was."""
    told = status.advance
    assert told is not None, "it has answered"
    match told.outcome:
        case AdvanceOutcome.VERSION_CONFLICT:
            return VersionConflict(request.expected_version, status.version, status.phase)
        case AdvanceOutcome.REQUIRES_CONFIRMATION:
            return RequiresConfirmation(told.missing)
        case AdvanceOutcome.UNAUTHORIZED:
            return Unauthorized("confirm")
        case _:
            return ValidationFailed(told.message.removeprefix("VALIDATION_FAILED: "), told.missing)
