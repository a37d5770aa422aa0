"""What people want of a contract as a whole: made, paused, retried, archived, ended.

Each wish is a field of `spec`, written as whoever asks (`makima.services.wishes.hand`), and what the operator makes of
it is waited for, a bounded time (`makima.services.wishes.settling`).
"""

from __future__ import annotations

from typing import Any

from makima.domain.reconcile.phase_change import VersionConflict
from makima.domain.wishes.status_wishes import NotAllowed, as_read, put, status_wish
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState
from makima.models.markers import API_GROUP, API_VERSION
from makima.models.wire.contracts import ContractDetail, ContractSummary
from makima.models.wire.problem import Code
from makima.models.wire.wishes import ChangeStatus, ContractDeleted, CreateContract, StatusChanged
from makima.ports import JsonObject
from makima.services.access.contract_lookup import ContractLookup, Located
from makima.services.access.live_contract import accepted, contract_in
from makima.services.access.person import Person
from makima.services.reads.contract_views import detail
from makima.services.reads.readiness import ReadinessChecks
from makima.services.refusals import Refused, refusal
from makima.services.wishes.hand import Hand
from makima.services.wishes.refused_moves import refused_move
from makima.services.wishes.settling import Settling, result_of


class ContractWishes:
    """Writes wishes; every method raises `Refused` with what makima or the API server has against it."""

    def __init__(self, hand: Hand, settling: Settling, lookup: ContractLookup, checks: ReadinessChecks) -> None:
        self._hand, self._settling, self._lookup, self._checks = hand, settling, lookup, checks

    async def create(self, person: Person, call: CreateContract, seconds: float) -> ContractDetail:
        """Make a contract, and wait until the operator has accepted it."""
        written = await self._hand.create(person, _manifest(call))
        self._lookup.remember(written)
        contract, _ = await self._settling.wait(written, lambda *_: True, seconds)
        return detail(contract, self._checks.settings, self._checks.clock.now())

    async def delete(self, person: Person, found: Located, expected_version: int | None) -> ContractDeleted:
        """Delete the contract; with a version only if it has it."""

        async def attempt(found: Located) -> ContractDeleted:
            contract = contract_in(found.live())
            _must_have(contract, expected_version)
            await self._hand.delete(person, found, exactly=expected_version is not None)
            return ContractDeleted(contract=self._short(contract))

        return await self._hand.again(person, found, attempt)

    async def status(self, person: Person, found: Located, call: ChangeStatus, seconds: float) -> StatusChanged:
        """Pause, go on, retry or archive."""
        return await self._hand.again(person, found, lambda now: self._status(person, now, call, seconds))

    async def _status(self, person: Person, found: Located, call: ChangeStatus, seconds: float) -> StatusChanged:
        contract = contract_in(found.live())
        status = accepted(contract)
        _must_have(contract, call.expected_version)
        wanted = call.status
        wish = status_wish(contract, status, wanted, call.reason)
        if isinstance(wish, NotAllowed):
            raise _not_allowed(status, wanted, wish)
        if not wish.operations:
            text = f"it is {status.state.snake} already"
            return StatusChanged(result="success", changed=False, message=text, contract=self._short(contract))
        written = await self._hand.change(person, found, (as_read(status), *wish.operations))
        before = status.state
        contract, done = await self._settling.wait(written, lambda _, now: _became(now, before, wanted), seconds)
        text = f"asked to be {wanted.snake}"
        return StatusChanged(result=result_of(done), changed=True, message=text, contract=self._short(contract))

    async def auto_complete(self, person: Person, found: Located, enabled: bool) -> ContractSummary:
        """Have the contract complete by itself, or not."""

        async def attempt(found: Located) -> ContractSummary:
            contract = contract_in(found.live())
            if contract.spec.auto_complete is enabled:
                return self._short(contract)
            written = await self._hand.change(person, found, [put("autoComplete", enabled)])
            return self._short(contract_in(written))

        return await self._hand.again(person, found, attempt)

    def _short(self, contract: Contract) -> ContractSummary:
        return self._checks.summary(contract)


def _manifest(call: CreateContract) -> JsonObject:
    named = {"name": call.name} if call.name is not None else {"generateName": call.generate_name}
    metadata: dict[str, Any] = {
        "namespace": call.namespace,
        **named,
        "labels": call.labels,
        "annotations": call.annotations,
    }
    return {
        "apiVersion": f"{API_GROUP}/{API_VERSION}",
        "kind": "Contract",
        "metadata": {name: value for name, value in metadata.items() if value},
        "spec": call.spec,
    }


def _must_have(contract: Contract, expected: int | None) -> None:
    status = contract.status
    if expected is not None and status is not None and status.version != expected:
        raise refused_move(VersionConflict(expected, status.version, status.phase), status, "")


def _not_allowed(status: ContractStatus, wanted: ContractState, wish: NotAllowed) -> Refused:
    allowed = [state.snake for state in wish.allowed]
    return refusal(
        Code.INVALID_TRANSITION,
        wish.reason,
        field="status",
        hint=f"from here it can be asked to be {', '.join(allowed)}"
        if allowed
        else "nothing can be asked for any more",
        current=status.state.snake,
        requested=wanted.snake,
        allowed=allowed,
    )


def _became(status: ContractStatus, before: ContractState, wanted: ContractState) -> bool:
    """`active` means to go on: where the contract stands then is for the operator to say."""
    if wanted is not ContractState.ACTIVE:
        return status.state is wanted
    return status.state is not before or before not in (ContractState.PAUSED, ContractState.FAILED)
