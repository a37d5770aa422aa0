"""Restarting a supervisor as somebody asks (plan 4.4): through `spec.restartSupervisor`, for exactly one life."""

from __future__ import annotations

from makima.domain.wishes.status_wishes import put
from makima.models.contract_status import ContractStatus
from makima.models.wire.problem import Code
from makima.models.wire.wishes import RestartSupervisor, SupervisorRestarted
from makima.services.access.contract_lookup import Located
from makima.services.access.live_contract import accepted, contract_in
from makima.services.access.person import Person
from makima.services.refusals import refusal
from makima.services.wishes.hand import Hand
from makima.services.wishes.settling import Settling, result_of


class SupervisorRestarts:
    """Ends lives."""

    def __init__(self, hand: Hand, settling: Settling) -> None:
        self._hand, self._settling = hand, settling

    async def restart(
        self, person: Person, found: Located, call: RestartSupervisor, seconds: float
    ) -> SupervisorRestarted:
        """End the life that carries the contract, and wait for the next.

        Raises:
            Refused: SUPERVISOR_NOT_FOUND, nobody ever carried it; CONFLICT, another life carries it; whatever the API
                server refuses.
        """
        return await self._hand.again(person, found, lambda now: self._restart(person, now, call, seconds))

    async def _restart(
        self, person: Person, found: Located, call: RestartSupervisor, seconds: float
    ) -> SupervisorRestarted:
        current = _incarnation(accepted(contract_in(found.live())))
        expected = _meant(call, current)
        if expected < current:
            return SupervisorRestarted(result="success", restarted=True, incarnation=current)
        operation = put("restartSupervisor", {"expectedIncarnation": expected})
        written = await self._hand.change(person, found, [operation])
        contract, done = await self._settling.wait(written, lambda _, now: _incarnation(now) > expected, seconds)
        now = _incarnation(accepted(contract))
        return SupervisorRestarted(result=result_of(done), restarted=done, incarnation=now)


def _meant(call: RestartSupervisor, current: int) -> int:
    """The life that is to end: the current one, or one before it, which is over already."""
    if current == 0:
        raise refusal(
            Code.SUPERVISOR_NOT_FOUND,
            "no supervisor carries this contract",
            hint="give it one (spec.supervisor), or register an external one",
        )
    expected = current if call.expected_incarnation is None else call.expected_incarnation
    if expected > current:
        raise refusal(
            Code.CONFLICT,
            f"incarnation {expected} has not begun; {current} carries the contract",
            field="expected_incarnation",
            hint=f"ask for {current}, or leave it out",
            expected=expected,
            actual=current,
        )
    return expected


def _incarnation(status: ContractStatus) -> int:
    return status.supervisor_ref.incarnation if status.supervisor_ref is not None else 0
