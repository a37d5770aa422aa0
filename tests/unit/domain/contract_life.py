"""A contract's life for a property-based test: everything that people, supervisors, Postgres and time can do to it.

After each rule the operator may look or not, so changes also arrive together. Every write goes through
`tests.support.api_rules`; what is kept here beside the contract is what the outside world has seen of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from makima.domain.draft import Surroundings
from makima.domain.lifecycle import Decision
from makima.domain.settings import Settings
from makima.domain.validation import Question, Verdict
from makima.models.bounds import DELIVERABLES_PER_PHASE, TRANSITIONS
from makima.models.contract import Contract
from makima.models.contract_spec import AdvanceRequest, RetryRequest
from makima.models.contract_status import ContractStatus, Transition
from makima.models.contract_type import ContractType
from makima.models.enums import SupervisorState, TaskState
from makima.models.gate import Phase
from makima.models.supervisor import Supervisor
from tests.support.builders import (
    a_contract,
    a_gate,
    a_phase,
    a_question,
    a_supervisor,
    a_task,
    a_type,
    a_validator,
    all_tasks,
    an_id,
    answering,
    at,
    drive,
    failing,
    named_tasks,
    reporting,
    some_tasks,
    status_of,
    two_phases,
    wanting,
    with_questions,
    with_status,
    with_tasks,
)

SHAPES: dict[str, tuple[Phase, ...]] = {
    "one": (a_phase("only", "d", optional=("extra",), gate=a_gate()),),
    "moves by itself": two_phases(),
    "by hand": (a_phase("plan", "a"), a_phase("execute", "b"), a_phase("review")),
    "tasks": (
        a_phase("plan", "a", gate=a_gate(all_tasks())),
        a_phase("execute", gate=a_gate(some_tasks(2))),
        a_phase("review", gate=a_gate(named_tasks("build"))),
    ),
    "validated": (
        a_phase("plan", "a", gate=a_gate(validator=a_validator(retry_seconds=60))),
        a_phase("execute", "b", gate=a_gate(validator=a_validator(retry_seconds=1), auto=False)),
        a_phase("review", gate=a_gate(validator=a_validator(retry_seconds=600))),
    ),
    "late validator": (a_phase("only", "d", gate=a_gate(validator=a_validator(retry_seconds=60))),),
    "many": tuple(a_phase(f"p{n}", *(f"d{k}" for k in range(DELIVERABLES_PER_PHASE)), gate=a_gate()) for n in range(5)),
}
SETTINGS = Settings()
FLAGS = (
    "auto_complete_enabled",
    "auto_advance_phases",
    "enhanced_status",
    "auto_complete",
    "monitoring",
    "supervisor_heartbeat",
)
LOOK = st.sampled_from([True, True, False])
MOSTLY = st.sampled_from([True, True, True, False])
SELDOM = st.sampled_from([*[False] * 6, True])
NUMBERS = st.integers(1, 3)


class ContractLife(RuleBasedStateMachine):
    """One contract from its first apply on."""

    reached: ClassVar[set[str]] = set()
    """States, moves between states, and reasons that contracts of this run have seen."""

    @initialize(
        shape=st.sampled_from([*SHAPES, "one", "one", "late validator"]),
        own=st.sampled_from([*[True] * 9, False]),
        attended=st.booleans(),
        says=st.sampled_from(["yes", "yes", "by turns"]),
        spec=st.fixed_dictionaries(
            {},
            optional={
                "phase_guard": st.just(True),
                "auto_complete": st.just(False),
                "suspend": st.just(True),
                "stale_after_seconds": st.just(100),
                "ttl_seconds_after_finished": st.just(1000),
            },
        ),
    )
    def apply(self, shape: str, own: bool, attended: bool, says: str, spec: dict[str, Any]) -> None:
        self.phases = SHAPES[shape]
        self.contract = a_contract(*self.phases, **spec) if own else a_contract(type="migration", **spec)
        self.settings, self.now, self.says, self.asked = SETTINGS, 0.0, says, 0
        self.kind: ContractType | None = None
        self.supervisor: Supervisor | None = a_supervisor(SupervisorState.WORKING) if attended else None
        self.verdict: Verdict | None = None
        self.postgres: dict[int, Transition] = {}
        self.recorder_works = True
        self.history: dict[int, Transition] = {}
        self.entered: list[str] = []
        self.confirmed: dict[int, frozenset[tuple[str, str]]] = {}
        self.look_at_it()

    # The operator

    def look_at_it(self, look: bool = True) -> None:
        """Let the operator act until it rests, and see what it wrote."""
        if not look:
            return
        before = self.contract
        self.contract, decisions = drive(self.contract, self.surroundings(), answer=self.ask, limit=80)
        for decision in decisions:
            if decision.status is not None:
                self.saw(before.status, decision.status)
                before = before.model_copy(update={"status": decision.status})
        self.rested(decisions[-1])
        if self.recorder_works:
            self.record()

    def surroundings(self) -> Surroundings:
        return Surroundings(
            settings=self.settings,
            now=at(self.now),
            contract_type=self.kind,
            supervisor=self.supervisor,
            verdict=self.verdict,
            recorded_version=max(self.postgres, default=0),
        )

    def ask(self, question: Question) -> Verdict:
        self.asked += 1
        ready = {"yes": True, "no": False, "fails": False, "by turns": self.asked % 2 == 1}[self.says]
        missing = () if ready else ("Tests: red",)
        self.verdict = Verdict(question.fingerprint, at(self.now), ready, missing, self.says == "fails")
        return self.verdict

    def record(self) -> None:
        if self.contract.status is not None:
            self.postgres |= {item.version: item for item in self.contract.status.transitions}

    def saw(self, old: ContractStatus | None, new: ContractStatus) -> None:
        """One write, as the outside sees it."""
        for item in new.transitions:
            assert self.history.setdefault(item.version, item) == item, "a version was rewritten"
        assert sorted(self.history) == list(range(1, new.version + 1)), "the history has a gap"
        if old is None or old.phase != new.phase:
            self.entered.append(new.phase)
        self.guard_held(old, new)
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
        if status.state == "Completed":
            assert status.phase == status.phases[-1].name
            assert status.finished_time is not None

    def held(self) -> bool:
        status = status_of(self.contract)
        return sum(item.version > max(self.postgres, default=0) for item in status.transitions) >= TRANSITIONS

    # People

    def want(self, look: bool, **spec: Any) -> None:
        self.contract = wanting(self.contract, **spec)
        self.look_at_it(look)

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

    # Supervisors

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

    # The world around

    @rule(seconds=st.sampled_from([0.001, 1.0, 59.0, 61.0, 101.0, 700.0, 2000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.look_at_it()

    @rule(seconds=st.sampled_from([0.5, 5.0]))
    def another_leader_whose_clock_is_behind(self, seconds: float) -> None:
        self.now = max(0.0, self.now - seconds)
        self.look_at_it()

    @rule(works=st.booleans())
    def postgres_comes_or_goes(self, works: bool) -> None:
        self.recorder_works = works
        self.look_at_it()

    @rule()
    def another_operator_that_knows_no_verdict(self) -> None:
        self.verdict = None
        self.look_at_it()

    @rule(flag=st.sampled_from(FLAGS), on=MOSTLY)
    def switch(self, flag: str, on: bool) -> None:
        self.settings = replace(self.settings, **{flag: on})
        self.look_at_it()

    @rule(says=st.sampled_from(["yes", "no", "fails", "by turns"]), look=LOOK)
    def validator_says(self, says: str, look: bool) -> None:
        self.says = says
        self.look_at_it(look)

    @rule(there=MOSTLY, bad=SELDOM)
    def contract_type_changes(self, there: bool, bad: bool) -> None:
        wrong = a_phase("only", gate=a_gate(requires=["gone"]))
        self.kind = a_type("migration", *((wrong,) if bad else self.phases)) if there else None
        self.look_at_it()

    @rule(times=st.sampled_from([0, 0, 0, 6, 36]))
    def pauses_and_resumes_many_times(self, times: int) -> None:
        """What fills an outbox."""
        for _ in range(times):
            self.want(True, suspend=not self.contract.spec.suspend)

    # What always holds

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


def keys_of(status: ContractStatus) -> frozenset[tuple[str, str]]:
    """Deliverables that are there."""
    return frozenset((item.phase, item.id) for item in status.deliverables)


def known_keys(status: ContractStatus) -> set[tuple[str, str]]:
    """Deliverables that the phases have."""
    return {(phase.name, item.id) for phase in status.phases for item in phase.deliverables}


def reported(contract: Contract) -> set[tuple[str, str]]:
    """Deliverables reported in the spec."""
    return {(item.phase, item.id) for item in contract.spec.deliverables}


def is_in_last_phase(status: ContractStatus) -> bool:
    """Whether nothing but completion is left."""
    return status.phase == status.phases[-1].name
