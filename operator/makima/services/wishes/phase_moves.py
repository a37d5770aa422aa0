"""Moving on as somebody asks (plan 1.2, PhaseChangeResult): judged first, written as them, and its outcome waited for.

What is refused here leaves no trace in the contract. The API server's policies judge once more when it is written.
"""

from __future__ import annotations

from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.phase_change import (
    COMPLETED,
    AskValidator,
    Success,
    Unauthorized,
    destination,
)
from makima.domain.reconcile.requests import judge_advance
from makima.domain.wishes.status_wishes import Operation, put
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import ContractStatus
from makima.models.enums import AdvanceOutcome
from makima.models.wire.problem import Code
from makima.models.wire.wishes import ChangePhase, PhaseChanged
from makima.services.access.contract_lookup import ContractId, ContractLookup, Located
from makima.services.access.person import Person
from makima.services.access.rbac import Access
from makima.services.reads.readiness import ReadinessChecks
from makima.services.refusals import Refused
from makima.services.wishes.hand import Hand, patch_command
from makima.services.wishes.refused_moves import as_told, refused_move
from makima.services.wishes.settling import Settling, result_of

JUDGED = frozenset({Code.PHASE_GUARD_REQUIRED, Code.VALIDATION_FAILED})
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
            Refused: VERSION_CONFLICT, PHASE_GUARD_REQUIRED, VALIDATION_FAILED, FORBIDDEN, CONTRACT_NOT_FOUND, CONFLICT,
                UNAVAILABLE.
        """
        return await self._hand.again(person, found, lambda now: self._move(person, now, call, seconds))

    async def _move(self, person: Person, found: Located, call: ChangePhase, seconds: float) -> PhaseChanged:
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
            raise refused_move(as_told(contract.status, request), contract.status, "")
        text = f"moved to {request.to}" if told else "recorded; the operator has not taken it up yet"
        shown = self._checks.summary(contract)
        return PhaseChanged(result=result_of(told), message=text, contract=shown)

    async def _judge(self, person: Person, found: Located, draft: Draft, request: AdvanceRequest) -> None:
        """Raise what stands against the move."""
        change = judge_advance(draft, request)
        if isinstance(change, Success | AskValidator):
            access = Access("confirm", "contracts", found.namespace, found.name)
            if not request.confirmed or await self._lookup.rbac.holds(person.identity, access):
                return
            change = Unauthorized("confirm")
        raise refused_move(change, draft.status, patch_command(found, [_operation(request)]))

    async def _explain(self, person: Person, found: Located, request: AdvanceRequest, error: Refused) -> None:
        """A policy refused what was fine a moment ago: the contract as it is now says why, with details."""
        if error.problem.code in JUDGED:
            now = await self._lookup.find(person.identity, ContractId(found.uid))
            await self._judge(person, now, self._checks.draft(now.live()), request)


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
