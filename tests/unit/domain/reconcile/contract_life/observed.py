"""What has to hold in a contract's life, judged by what the outside world has seen of it."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import event
from hypothesis.stateful import RuleBasedStateMachine, invariant

from makima.domain.reconcile.decision import Decision
from makima.domain.settings import Settings
from makima.models.bounds import TRANSITIONS
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, Transition
from tests.support.builders import at, status_of


class ObservedLife(RuleBasedStateMachine):
    """A contract, and beside it what was seen of it: by Postgres, by watchers, and by whoever confirmed."""

    reached: ClassVar[set[str]] = set()
    """States, moves between states, and reasons that contracts of this run have seen."""

    contract: Contract
    settings: Settings
    now: float
    postgres: dict[int, Transition]
    history: dict[int, Transition]
    entered: list[str]
    confirmed: dict[int, frozenset[tuple[str, str]]]

    def saw(self, old: ContractStatus | None, new: ContractStatus) -> None:
        """One write, as the outside sees it."""
        for item in new.transitions:
            assert self.history.setdefault(item.version, item) == item, "a version was rewritten"
        assert sorted(self.history) == list(range(1, new.version + 1)), "the history has a gap"
        if old is None or old.phase != new.phase:
            self.entered.append(new.phase)
        self.guard_held(old, new)
        assert fence_of(new) >= fence_of(old), "the fence was lowered"
        if old is not None and old.state != new.state:
            self.reached.add(f"{old.state} → {new.state}")
        self.reached.add(new.state.value)
        event(f"reached {new.state}")
        if new.version > (old.version if old is not None else 0):
            self.reached.add(new.transitions[-1].reason)

    def guard_held(self, old: ContractStatus | None, new: ContractStatus) -> None:
        begins = old is not None and new.state == "Completing" and old.state != "Completing"
        if old is None or not self.contract.spec.phase_guard or not (begins or old.phase != new.phase):
            return
        assert self.confirmed.get(old.version) == keys_of(new), "a guard was passed over what nobody has seen"

    def rested(self, decision: Decision) -> None:
        """What holds whenever the operator has nothing left to do."""
        status, spec = self.contract.status, self.contract.spec
        if status is None:
            assert self.contract.early_conditions, "a contract that is not accepted says why"
            return
        if decision.delete:
            assert status.finished_time is not None
            assert max(self.postgres) >= status.version
        elif decision.wake_at is not None:
            expired = status.finished_time is not None and spec.ttl_seconds_after_finished is not None
            assert decision.wake_at > at(self.now) or expired, "a look in the past never ends"
        if not self.held():
            self.rested_rightly(status)

    def rested_rightly(self, status: ContractStatus) -> None:
        spec = self.contract.spec
        if status.state != "Archived":
            wanted = {(item.phase, item.id) for item in spec.deliverables} & known_keys(status)
            assert wanted <= keys_of(status), "a report was not taken in"
        assert status.state != "Completing", "Completing is not a place to rest"
        assert (status.state == "Paused") <= spec.suspend, "paused without being asked to"
        pausable = status.state in ("Created", "Active", "WaitingForInput", "Blocked")
        assert not (pausable and spec.suspend and self.settings.enhanced_status), "not paused though asked to"
        assert (status.waiting_for is not None) == (status.state == "WaitingForInput")
        assert (status.blocked_reason is not None) == (status.state == "Blocked")
        assert (status.paused_from is not None) == (status.state == "Paused")
        assert (status.failure_reason is not None) == (status.state == "Failed")
        if status.state == "Completed":
            assert status.phase == status.phases[-1].name
            assert status.finished_time is not None

    def held(self) -> bool:
        status = status_of(self.contract)
        return sum(item.version > max(self.postgres, default=0) for item in status.transitions) >= TRANSITIONS

    @invariant()
    def no_phase_is_skipped_or_entered_twice(self) -> None:
        if self.contract.status is not None:
            names = [phase.name for phase in self.contract.status.phases]
            assert self.entered == names[: len(self.entered)]
            assert self.entered[-1] == self.contract.status.phase

    @invariant()
    def history_and_outbox_have_every_version_together(self) -> None:
        if self.contract.status is not None:
            outbox = {item.version for item in self.contract.status.transitions}
            assert outbox | set(self.postgres) == set(range(1, self.contract.status.version + 1))

    @invariant()
    def each_condition_is_there_once_and_not_from_the_future(self) -> None:
        conditions = self.contract.status.conditions if self.contract.status else self.contract.early_conditions
        assert len({item.type for item in conditions}) == len(conditions)


def fence_of(status: ContractStatus | None) -> int:
    """The life below which nothing is accepted."""
    return status.supervisor_ref.incarnation if status is not None and status.supervisor_ref is not None else 0


def keys_of(status: ContractStatus) -> frozenset[tuple[str, str]]:
    """Deliverables that are there."""
    return frozenset((item.phase, item.id) for item in status.deliverables)


def known_keys(status: ContractStatus) -> set[tuple[str, str]]:
    """Deliverables that the phases have."""
    return {(phase.name, item.id) for phase in status.phases for item in phase.deliverables}
