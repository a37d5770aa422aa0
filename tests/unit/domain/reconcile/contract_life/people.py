"""What people do to a contract."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from makima.models.contract_spec import AdvanceRequest, RetryRequest
from makima.models.contract_status import ContractStatus
from tests.support.builders import an_id, answering, status_of
from tests.unit.domain.reconcile.contract_life.looked_at import LOOK, MOSTLY, NUMBERS, SELDOM, LookedAtLife
from tests.unit.domain.reconcile.contract_life.observed import keys_of


class People(LookedAtLife):
    """They ask for moves, confirm, pause, retry, archive and answer questions."""

    @rule(guard=MOSTLY.map(lambda often: not often), look=LOOK)
    def guard(self, guard: bool, look: bool) -> None:
        self.want(look, phase_guard=guard)

    @rule(suspend=SELDOM, look=LOOK)
    def suspend(self, suspend: bool, look: bool) -> None:
        self.want(look, suspend=suspend)

    @rule(auto=st.booleans(), look=LOOK)
    def complete_by_itself(self, auto: bool, look: bool) -> None:
        self.want(look, auto_complete=auto)

    @precondition(lambda self: self.contract.status is not None)
    @rule(
        # An earlier version stands for a request that was overtaken; a later one the API server lets nobody name.
        offset=st.sampled_from([0, 0, 0, 0, -1]),
        to=st.sampled_from(["next", "next", "next", "next", "first", "Completed"]),
        confirmed=st.booleans(),
        force=st.booleans(),
        look=LOOK,
    )
    def advance(self, offset: int, to: str, confirmed: bool, force: bool, look: bool) -> None:
        status = status_of(self.contract)
        names = [*(phase.name for phase in status.phases), "Completed"]
        goal = {"next": names[names.index(status.phase) + 1], "first": names[0]}.get(to, to)
        version = max(1, status.version + offset)
        if confirmed and offset == 0:
            self.confirmed[version] = keys_of(status)
        request = AdvanceRequest(to=goal, expected_version=version, confirmed=confirmed, force=force)
        self.want(look, advance=request)

    @precondition(lambda self: self.contract.status is not None and is_in_last_phase(self.contract.status))
    @rule(confirmed=st.booleans(), look=LOOK)
    def ask_for_completion(self, confirmed: bool, look: bool) -> None:
        status = status_of(self.contract)
        if confirmed:
            self.confirmed[status.version] = keys_of(status)
        self.want(look, advance=AdvanceRequest(to="Completed", expected_version=status.version, confirmed=confirmed))

    @precondition(lambda self: self.contract.status is not None and self.contract.status.state == "Failed")
    @rule(offset=st.sampled_from([0, 0, 0, -1, 1]), look=LOOK)
    def retry(self, offset: int, look: bool) -> None:
        self.want(look, retry=RetryRequest(expected_version=max(1, status_of(self.contract).version + offset)))

    @precondition(lambda self: self.contract.status is not None and self.contract.status.version > 5)
    @rule(archived=SELDOM, look=LOOK)
    def archive(self, archived: bool, look: bool) -> None:
        self.want(look, archived=archived)

    @precondition(lambda self: self.contract.status is not None and self.contract.status.finished_time is not None)
    @rule(archived=SELDOM, look=LOOK)
    def archive_what_is_finished(self, archived: bool, look: bool) -> None:
        self.want(look, archived=archived)

    @rule(number=NUMBERS, look=LOOK)
    def answer(self, number: int, look: bool) -> None:
        if an_id(number) not in {item.question_id for item in self.contract.spec.answers}:
            self.contract = answering(self.contract, an_id(number))
        self.look_at_it(look)


def is_in_last_phase(status: ContractStatus) -> bool:
    """Whether nothing but completion is left."""
    return status.phase == status.phases[-1].name
