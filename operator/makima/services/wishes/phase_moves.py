"""Moving on as somebody asks (plan 1.2, PhaseChangeResult): judged first, written as them, and its outcome waited for.

What is refused here leaves no trace in the contract. The API server's policies judge once more when it is written.
"""

from __future__ import annotations

from typing import assert_never

from makima.domain.draft import Draft
from makima.domain.phase_change import (
    COMPLETED,
    AskValidator,
    NotFound,
    PhaseChange,
    RequiresConfirmation,
    Success,
    Unauthorized,
    ValidationFailed,
    VersionConflict,
    destination,
)
from makima.domain.requests import judge_advance
from makima.domain.status_wishes import Operation, put
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import ContractStatus
from makima.models.enums import AdvanceOutcome
from makima.models.wire.problem import Code
from makima.models.wire.wishes import ChangePhase, PhaseChanged
from makima.services.access.authorization import Access
from makima.services.access.contract_lookup import ContractId, ContractLookup, Located, no_contract
from makima.services.access.person import Person
from makima.services.reads.contract_views import deliverables
from makima.services.reads.readiness import ReadinessChecks
from makima.services.refusals import Refused, refusal
from makima.services.wishes.hand import Hand, patch_command
from makima.services.wishes.settling import Settling

JUDGED = frozenset({Code.VERSION_CONFLICT, Code.PHASE_GUARD_REQUIRED, Code.VALIDATION_FAILED})
"""Refusals of policies that the contract itself explains better, with details."""


class PhaseMoves:
    """Moves contracts on."""

    def __init__(self, checks: ReadinessChecks, lookup: ContractLookup, hand: Hand, settling: Settling) -> None:
        self._checks, self._lookup, self._hand, self._settling = checks, lookup, hand, settling

    async def move(self, person: Person, found: Located, call: ChangePhase, seconds: float) -> PhaseChanged:
        """Move the contract on, or say why not.

        Args:
            seconds: how long to wait for the operator.

        Raises:
            Refused: VERSION_CONFLICT, PHASE_GUARD_REQUIRED, VALIDATION_FAILED, FORBIDDEN, CONTRACT_NOT_FOUND,
                UNAVAILABLE.
        """
        draft = self._checks.draft(found.live())
        request = _request(call, draft.status)
        await self._judge(person, found, draft, request)
        try:
            written = await self._hand.change(person, found, [_operation(request)])
        except Refused as error:
            await self._explain(person, found, request, error)
            raise
        contract, told = await self._settling.wait(written, lambda _, status: _answered(status, request), seconds)
        if told and contract.status is not None and not _moved(contract.status, request):
            raise refused_move(_as_told(contract.status, request), contract.status, "")
        text = f"moved to {request.to}" if told else "recorded; the operator has not taken it up yet"
        shown = self._checks.summary(contract)
        return PhaseChanged(result="success" if told else "pending", message=text, contract=shown)

    async def _judge(self, person: Person, found: Located, draft: Draft, request: AdvanceRequest) -> None:
        """Raise what stands against the move."""
        change = judge_advance(draft, request)
        if isinstance(change, Success | AskValidator):
            access = Access("confirm", "contracts", found.namespace, found.name)
            if not request.confirmed or await self._lookup.rights.holds(person.identity, access):
                return
            change = Unauthorized("confirm")
        raise refused_move(change, draft.status, patch_command(found, [_operation(request)]))

    async def _explain(self, person: Person, found: Located, request: AdvanceRequest, error: Refused) -> None:
        """A policy refused what was fine a moment ago: the contract as it is now says why, with details."""
        if error.problem.code in JUDGED:
            now = await self._lookup.find(person.identity, ContractId(found.uid))
            await self._judge(person, now, self._checks.draft(now.live()), request)


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


def _request(call: ChangePhase, status: ContractStatus) -> AdvanceRequest:
    to = call.phase or destination(status)
    return AdvanceRequest(
        to=COMPLETED if to.lower() == COMPLETED.lower() else to,
        expected_version=call.expected_version,
        confirmed=call.confirmed,
        force=call.force,
        reason=call.reason or None,
    )


def _operation(request: AdvanceRequest) -> Operation:
    """The whole request: what an earlier one said must not stay."""
    return put("advance", request.model_dump(mode="json", by_alias=True, exclude_none=True))


def _answered(status: ContractStatus, request: AdvanceRequest) -> bool:
    told = status.advance
    return told is not None and (told.to, told.expected_version) == (request.to, request.expected_version)


def _moved(status: ContractStatus, request: AdvanceRequest) -> bool:
    return (
        _answered(status, request) and status.advance is not None and status.advance.outcome is AdvanceOutcome.SUCCESS
    )


def _as_told(status: ContractStatus, request: AdvanceRequest) -> PhaseChange:
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
