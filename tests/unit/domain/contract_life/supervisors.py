"""What supervisors, and whatever else writes about the work, do to a contract."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from makima.models.contract import Contract
from makima.models.enums import SupervisorState, TaskState
from tests.support.builders import (
    a_question,
    a_supervisor,
    a_task,
    an_id,
    at,
    failing,
    reporting,
    status_of,
    with_questions,
    with_status,
    with_tasks,
)
from tests.unit.domain.contract_life.looked_at import LOOK, NUMBERS, SELDOM, LookedAtLife
from tests.unit.domain.contract_life.observed import known_keys


class Supervisors(LookedAtLife):
    """They report deliverables, tasks, questions and their own state; and come and go."""

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
    @rule(number=st.integers(10, 13), state=st.sampled_from(TaskState), look=LOOK)
    def task(self, number: int, state: TaskState, look: bool) -> None:
        status = status_of(self.contract)
        others = tuple(task for task in status.tasks if task.id != an_id(number))
        self.contract = with_tasks(self.contract, *others, a_task(number, state, phase=status.phase))
        self.look_at_it(look)

    @precondition(lambda self: self.contract.status is not None)
    @rule(number=NUMBERS, look=LOOK)
    def question(self, number: int, look: bool) -> None:
        others = tuple(item for item in status_of(self.contract).questions if item.id != an_id(number))
        self.contract = with_questions(self.contract, *others, a_question(number))
        self.look_at_it(look)

    @rule(
        state=st.sampled_from(
            [SupervisorState.BLOCKED, SupervisorState.WAITING_FOR_USER, SupervisorState.WORKING, None]
        ),
        incarnation=st.integers(0, 3),
        look=LOOK,
    )
    def supervisor_says(self, state: SupervisorState | None, incarnation: int, look: bool) -> None:
        self.supervisor = a_supervisor(state, incarnation=incarnation)
        self.look_at_it(look)

    @rule(look=LOOK)
    def supervisor_goes(self, look: bool) -> None:
        self.supervisor = None
        self.look_at_it(look)

    @precondition(lambda self: self.contract.status is not None and not self.held())
    @rule(really=SELDOM, look=LOOK)
    def fail(self, really: bool, look: bool) -> None:
        status = status_of(self.contract)
        if not really or status.state.value in ("Completed", "Failed", "Archived"):
            return
        self.contract = failing(self.contract, self.now)
        self.saw(status, status_of(self.contract))
        self.look_at_it(look)

    @precondition(lambda self: self.contract.status is not None)
    @rule(look=LOOK)
    def activity(self, look: bool) -> None:
        status = status_of(self.contract)
        if at(self.now) > status.last_activity_time:
            self.contract = with_status(self.contract, last_activity_time=at(self.now), paused_seconds=None)
        self.look_at_it(look)


def reported(contract: Contract) -> set[tuple[str, str]]:
    """Deliverables reported in the spec."""
    return {(item.phase, item.id) for item in contract.spec.deliverables}
