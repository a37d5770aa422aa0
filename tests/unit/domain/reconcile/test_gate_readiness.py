"""When a phase is done, in the plan's words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makima.domain.reconcile.gates import (
    NoGate,
    NotReady,
    Readiness,
    Ready,
    Undecided,
    fingerprint,
    next_phase,
    phase_readiness,
)
from makima.domain.reconcile.validation import Verdict
from makima.models.contract_status import CompletedDeliverable, ContractStatus, TaskCount, TaskStatus
from makima.models.enums import ContractState, TaskState
from makima.models.gate import Gate, TaskRequirement
from tests.support.builders import (
    START,
    UID,
    a_gate,
    a_phase,
    a_status,
    a_task,
    a_validator,
    all_tasks,
    at,
    named_tasks,
    some_tasks,
    two_phases,
)

P, R, C, F = TaskState.PENDING, TaskState.RUNNING, TaskState.COMPLETED, TaskState.FAILED
Named = dict[str, TaskState]
NONE = TaskRequirement()


def readiness(status: ContractStatus, verdict: Verdict | None = None, seconds: float = 0) -> Readiness:
    return phase_readiness(UID, status, verdict, at(seconds))


def with_gate(gate: Gate, *done: str, **fields: object) -> ContractStatus:
    phases = (a_phase("plan", "plan-document", optional=("notes",), gate=gate), a_phase("execute"))
    items = tuple(CompletedDeliverable(phase="plan", id=item, completed_time=START) for item in done)
    return a_status(*phases, deliverables=items, **fields)


def tasks(*named: tuple[str, TaskState], phase: str = "plan") -> tuple[TaskStatus, ...]:
    return tuple(a_task(number, state, name=name, phase=phase) for number, (name, state) in enumerate(named))


def test_a_phase_without_a_gate_has_no_gate_whatever_is_there() -> None:
    assert readiness(a_status(a_phase("plan", "plan-document"))) == NoGate()


def test_an_empty_gate_over_nothing_is_ready() -> None:
    assert readiness(a_status(a_phase("plan", gate=Gate()))) == Ready()


def test_a_missing_deliverable_is_named() -> None:
    assert readiness(with_gate(a_gate())) == NotReady(("Deliverable: plan-document",))


def test_only_required_deliverables_hold_the_gate() -> None:
    assert readiness(with_gate(a_gate(), "plan-document")) == Ready()


def test_a_gate_may_require_an_optional_deliverable_instead() -> None:
    gate = a_gate(requires=["notes"])
    assert readiness(with_gate(gate, "plan-document")) == NotReady(("Deliverable: notes",))
    assert readiness(with_gate(gate, "notes")) == Ready()


def test_a_gate_may_require_no_deliverable_at_all() -> None:
    assert readiness(with_gate(a_gate(requires=[]))) == Ready()


def test_the_same_id_completed_in_another_phase_does_not_count() -> None:
    phases = (a_phase("plan", "report", gate=a_gate()), a_phase("execute", "report"))
    elsewhere = CompletedDeliverable(phase="execute", id="report", completed_time=START)
    assert readiness(a_status(*phases, deliverables=(elsewhere,))) == NotReady(("Deliverable: report",))


@pytest.mark.parametrize(
    ("wanted", "there", "missing"),
    [
        (NONE, [], ()),
        (NONE, [("a", R), ("b", F)], ()),
        (all_tasks(), [], ()),
        (all_tasks(), [("a", C)], ()),
        (all_tasks(), [("a", P)], ("1 tasks incomplete",)),
        (all_tasks(), [("a", R)], ("1 tasks incomplete",)),
        (all_tasks(), [("a", F)], ("1 tasks incomplete",)),
        (all_tasks(), [("a", C), ("b", R), ("c", F), ("d", P)], ("3 tasks incomplete",)),
        (some_tasks(1), [], ("1 more tasks must complete",)),
        (some_tasks(2), [("a", C), ("b", R)], ("1 more tasks must complete",)),
        (some_tasks(2), [("a", C), ("b", F)], ("1 more tasks must complete",)),
        (some_tasks(2), [("a", C), ("b", C)], ()),
        (some_tasks(2), [("a", C), ("b", C), ("c", F), ("d", R)], ()),
        (named_tasks("a"), [], ("Task: a",)),
        (named_tasks("a", "b"), [("a", C), ("b", R)], ("Task: b",)),
        (named_tasks("a"), [("a", F)], ("Task: a",)),
        (named_tasks("a"), [("a", P)], ("Task: a",)),
        (named_tasks("a"), [("a", F), ("a", C)], ()),
        (named_tasks("a"), [("a", C), ("b", F)], ()),
    ],
)
def test_each_task_policy_waits_for_its_tasks(
    wanted: TaskRequirement, there: list[tuple[str, TaskState]], missing: tuple[str, ...]
) -> None:
    status = with_gate(a_gate(wanted, requires=[]), tasks=tasks(*there))
    assert readiness(status) == (NotReady(missing) if missing else Ready())


@pytest.mark.parametrize("wanted", [all_tasks(), some_tasks(1), named_tasks("a")])
def test_tasks_of_another_phase_do_not_count(wanted: TaskRequirement) -> None:
    empty = readiness(with_gate(a_gate(wanted, requires=[])))
    for state in TaskState:
        status = with_gate(a_gate(wanted, requires=[]), tasks=tasks(("a", state), phase="execute"))
        assert readiness(status) == empty


@pytest.mark.parametrize(
    ("wanted", "completed", "failed", "missing"),
    [
        (all_tasks(), 5, 0, ()),
        (all_tasks(), 5, 2, ("2 tasks incomplete",)),
        (some_tasks(3), 3, 9, ()),
        (some_tasks(3), 1, 9, ("2 more tasks must complete",)),
        (NONE, 0, 9, ()),
    ],
)
def test_folded_tasks_count_like_listed_ones(
    wanted: TaskRequirement, completed: int, failed: int, missing: tuple[str, ...]
) -> None:
    counts = (
        TaskCount(phase="plan", completed=completed, failed=failed),
        TaskCount(phase="execute", completed=50, failed=50),
    )
    status = with_gate(a_gate(wanted, requires=[]), task_counts=counts)
    assert readiness(status) == (NotReady(missing) if missing else Ready())


def test_folded_and_listed_tasks_add_up() -> None:
    counts = (TaskCount(phase="plan", completed=2, failed=1),)
    here = tasks(("a", C), ("b", R))
    assert readiness(with_gate(a_gate(all_tasks(), requires=[]), tasks=here, task_counts=counts)) == NotReady(
        ("2 tasks incomplete",)
    )
    assert readiness(with_gate(a_gate(some_tasks(3), requires=[]), tasks=here, task_counts=counts)) == Ready()


def test_deliverables_are_named_before_tasks() -> None:
    status = with_gate(a_gate(all_tasks()), tasks=tasks(("a", R)))
    assert readiness(status) == NotReady(("Deliverable: plan-document", "1 tasks incomplete"))


VALIDATED = a_gate(validator=a_validator(retry_seconds=60))


def test_a_validator_is_asked_only_when_the_rest_is_there() -> None:
    assert readiness(with_gate(VALIDATED)) == NotReady(("Deliverable: plan-document",))
    answer = readiness(with_gate(VALIDATED, "plan-document"))
    assert isinstance(answer, Undecided)
    assert answer.question.phase == "plan"


def test_a_ready_verdict_opens_the_gate_and_another_says_what_is_missing() -> None:
    status = with_gate(VALIDATED, "plan-document")
    name = fingerprint(UID, status)
    assert readiness(status, Verdict(name, START, True)) == Ready()
    assert readiness(status, Verdict(name, START, False, ("Tests: red",))) == NotReady(("Tests: red",))


def test_a_failed_validator_holds_the_gate_and_says_why() -> None:
    status = with_gate(VALIDATED, "plan-document")
    verdict = Verdict(fingerprint(UID, status), START, False, ("validator timed out",), failed=True)
    assert readiness(status, verdict) == NotReady(("validator timed out",))


def test_a_failed_validator_under_ignore_passes() -> None:
    status = with_gate(VALIDATED, "plan-document")
    assert readiness(status, Verdict(fingerprint(UID, status), START, True, failed=True)) == Ready()


@pytest.mark.parametrize(("age", "counts"), [(0, True), (59.999, True), (60, False), (3600, False)])
def test_a_verdict_counts_for_retry_seconds(age: float, counts: bool) -> None:
    status = with_gate(VALIDATED, "plan-document")
    answer = readiness(status, Verdict(fingerprint(UID, status), START, True), seconds=age)
    assert (answer == Ready()) is counts
    assert isinstance(answer, Undecided) is not counts


@pytest.mark.parametrize(
    "change",
    [
        {"state": ContractState.COMPLETING},
        {"deliverables": ()},
        {"phase": "execute"},
        {"tasks": tasks(("a", C))},
        {"task_counts": (TaskCount(phase="plan", completed=1, failed=0),)},
    ],
)
def test_a_verdict_on_anything_else_does_not_count(change: dict[str, object]) -> None:
    status = with_gate(VALIDATED, "plan-document")
    other = status.model_copy(update=change)
    assert fingerprint(UID, other) != fingerprint(UID, status)
    assert isinstance(readiness(status, Verdict(fingerprint(UID, other), START, True)), Undecided)


def test_a_verdict_on_another_contract_does_not_count() -> None:
    status = with_gate(VALIDATED, "plan-document")
    assert isinstance(readiness(status, Verdict(fingerprint("other", status), START, True)), Undecided)


def test_a_task_that_ends_is_another_question() -> None:
    running = with_gate(VALIDATED, tasks=tasks(("a", R)))
    ended = with_gate(VALIDATED, tasks=tasks(("a", C)))
    assert fingerprint(UID, running) != fingerprint(UID, ended)


def test_phases_follow_each_other_in_their_order() -> None:
    status = a_status(*two_phases())
    following = next_phase(status)
    assert following is not None
    assert following.name == "execute"
    assert next_phase(status.model_copy(update={"phase": "execute"})) is None


def test_a_verdict_from_the_future_is_fresh_for_as_long() -> None:
    status = with_gate(VALIDATED, "plan-document")
    verdict = Verdict(fingerprint(UID, status), START + timedelta(seconds=5), True)
    assert readiness(status, verdict) == Ready()
