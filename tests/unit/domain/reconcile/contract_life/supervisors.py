"""What supervisors, and whatever else writes about the work, do to a contract."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from makima.domain.reasons import AliveReason
from makima.domain.supervisor_calls.told import (
    AdvanceAnswer,
    AskAdvance,
    AskQuestion,
    Caller,
    CompleteDeliverable,
    EndTask,
    SpawnTask,
    Superseded,
    Taken,
)
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.enums import ConditionStatus, SupervisorState, TaskState
from tests.support.builders import SUPERVISOR_UID, a_supervisor, an_id, at, reporting, status_of
from tests.unit.domain.reconcile.contract_life.looked_at import LOOK, NUMBERS, SELDOM, LookedAtLife
from tests.unit.domain.reconcile.contract_life.observed import fence_of, keys_of, known_keys


class Supervisors(LookedAtLife):
    """They report deliverables, tasks, questions and their own state; and come and go.

    Attributes:
        tasks: what Postgres has of each task, by its number.
        listed: tasks whose spawning was acknowledged.
    """

    tasks: dict[int, TaskState]
    listed: set[int]

    @precondition(lambda self: self.contract.status is not None)
    @rule(data=st.data(), look=LOOK)
    def report_any(self, data: st.DataObject, look: bool) -> None:
        open_keys = sorted(known_keys(status_of(self.contract)) - reported(self.contract))
        if open_keys:
            phase, identifier = data.draw(st.sampled_from(open_keys))
            self.contract = reporting(self.contract, f"{phase}/{identifier}")
        self.look_at_it(look)

    @precondition(lambda self: self.contract.status is not None)
    @rule(look=LOOK)
    def report_phase(self, look: bool) -> None:
        status = status_of(self.contract)
        missing = sorted(key for key in known_keys(status) - reported(self.contract) if key[0] == status.phase)
        self.contract = reporting(self.contract, *(f"{phase}/{identifier}" for phase, identifier in missing))
        self.look_at_it(look)

    @rule(look=LOOK)
    def report_everything(self, look: bool) -> None:
        keys = {(phase.name, item.id) for phase in self.phases for item in phase.deliverables}
        missing = sorted(keys - reported(self.contract))
        self.contract = reporting(self.contract, *(f"{phase}/{identifier}" for phase, identifier in missing))
        self.look_at_it(look)

    @rule(look=LOOK)
    def take_reports_back(self, look: bool) -> None:
        self.want(look, deliverables=())

    @precondition(lambda self: self.contract.status is not None)
    @rule(number=st.integers(10, 14), life=NUMBERS, template=SELDOM, look=LOOK)
    def spawn(self, number: int, life: int, template: bool, look: bool) -> None:
        """Told for what is unfinished in Postgres only, however often: the answer may have been lost."""
        if self.tasks.get(number) is not TaskState.COMPLETED:
            phase = status_of(self.contract).phase
            report = SpawnTask(by(life), an_id(number), "build", phase, at(self.now), "job" if template else None)
            (answer,) = self.tell(report)
            assert isinstance(answer, Superseded) is self.too_old(life)
            if isinstance(answer, Taken):
                self.tasks.setdefault(number, TaskState.RUNNING)
                self.listed.add(number)
        self.look_at_it(look)

    @precondition(lambda self: bool(self.listed))
    @rule(data=st.data(), life=NUMBERS, failed=SELDOM, look=LOOK)
    def end(self, data: st.DataObject, life: int, failed: bool, look: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.listed)))
        (answer,) = self.tell(EndTask(by(life), an_id(number), failed, at(self.now)))
        if isinstance(answer, Taken):
            self.tasks[number] = TaskState.COMPLETED
        self.look_at_it(look)

    @precondition(lambda self: self.contract.status is not None)
    @rule(number=NUMBERS, life=NUMBERS, look=LOOK)
    def question(self, number: int, life: int, look: bool) -> None:
        answered = an_id(number) in {item.question_id for item in self.contract.spec.answers}
        if not answered:
            self.tell(AskQuestion(by(life), an_id(number), "Which branch?", "plan", at(self.now)))
        self.look_at_it(look)

    @precondition(lambda self: self.contract.status is not None)
    @rule(data=st.data(), life=NUMBERS, look=LOOK)
    def tells_of_a_deliverable(self, data: st.DataObject, life: int, look: bool) -> None:
        phase, identifier = data.draw(
            st.sampled_from([*sorted(known_keys(status_of(self.contract))), ("plan", "nope")])
        )
        (answer,) = self.tell(CompleteDeliverable(by(life), phase, identifier))
        there = (phase, identifier) in keys_of(status_of(self.contract))
        assert there or not isinstance(answer, Taken)
        self.look_at_it(look)

    @precondition(lambda self: self.contract.status is not None)
    @rule(offset=st.sampled_from([0, 0, 0, -1]), life=NUMBERS, look=LOOK)
    def wishes_to_move(self, offset: int, life: int, look: bool) -> None:
        before = status_of(self.contract)
        names = [*(phase.name for phase in before.phases), "Completed"]
        goal, version = names[names.index(before.phase) + 1], max(1, before.version + offset)
        (answer,) = self.tell(AskAdvance(by(life), goal, version))
        moved = isinstance(answer, AdvanceAnswer) and answer.outcome == "Success"
        assert not (moved and self.contract.spec.phase_guard and status_of(self.contract).phase != before.phase)
        self.look_at_it(look)

    def too_old(self, life: int) -> bool:
        return fence_of(status_of(self.contract)) > life

    @invariant()
    def every_task_that_was_acknowledged_is_listed_or_counted_once(self) -> None:
        if self.contract.status is not None:
            counted = sum(count.completed + count.failed for count in self.contract.status.task_counts)
            assert counted + len(self.contract.status.tasks) == len(self.listed)

    @rule(
        state=st.sampled_from(
            [
                SupervisorState.BLOCKED,
                SupervisorState.WAITING_FOR_USER,
                SupervisorState.WORKING,
                SupervisorState.INTERRUPTED,
                SupervisorState.INITIALIZING,
                None,
            ]
        ),
        why=st.sampled_from([None, AliveReason.HEARTBEATING, AliveReason.RELEASED]),
        incarnation=st.integers(0, 3),
        look=LOOK,
    )
    def supervisor_says(
        self, state: SupervisorState | None, why: AliveReason | None, incarnation: int, look: bool
    ) -> None:
        conditions = (alive_because(why, self.now),) if why is not None else ()
        self.supervisor = a_supervisor(state, incarnation=incarnation, conditions=conditions)
        self.look_at_it(look)

    @rule(really=SELDOM, look=LOOK)
    def supervisor_is_given_up(self, really: bool, look: bool) -> None:
        if really:
            conditions = (alive_because(AliveReason.GIVEN_UP, self.now),)
            self.supervisor = a_supervisor(SupervisorState.FAILED, incarnation=3, conditions=conditions)
        self.look_at_it(look)

    @rule(look=LOOK)
    def supervisor_goes(self, look: bool) -> None:
        self.supervisor = None
        self.look_at_it(look)

    @rule(look=LOOK)
    def heartbeat(self, look: bool) -> None:
        self.heard = self.now
        self.look_at_it(look)


def by(life: int) -> Caller:
    """The supervisor in this life."""
    return Caller("work", SUPERVISOR_UID, life)


def alive_because(why: AliveReason, seconds: float) -> Condition:
    """The condition Alive of a Supervisor, since then."""
    return Condition(
        type="Alive",
        status=ConditionStatus.TRUE if why is AliveReason.HEARTBEATING else ConditionStatus.FALSE,
        reason=why.value,
        message="-",
        observed_generation=1,
        last_transition_time=at(seconds),
    )


def reported(contract: Contract) -> set[tuple[str, str]]:
    """Deliverables reported in the spec."""
    return {(item.phase, item.id) for item in contract.spec.deliverables}
