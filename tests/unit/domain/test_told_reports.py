"""What a supervisor tells the API service: taken in one write with all that follows, or refused with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from makima.domain.lifecycle import Decision, decide
from makima.domain.reports import open_answers
from makima.domain.task_list import LISTED
from makima.domain.told import (
    AdvanceAnswer,
    AskAdvance,
    AskQuestion,
    Caller,
    CompleteDeliverable,
    EndTask,
    Outcome,
    RefusedReport,
    Report,
    SpawnTask,
    Superseded,
    Taken,
)
from makima.domain.validation import Verdict
from makima.models.bounds import QUESTIONS, TASKS, TRANSITIONS
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, SupervisorReference
from makima.models.enums import AdvanceOutcome, ContractState, TaskState
from tests.support.builders import (
    SUPERVISOR_UID,
    a_contract,
    a_gate,
    a_phase,
    a_question,
    a_supervisor,
    a_task,
    a_validator,
    accepted,
    active,
    advancing,
    all_tasks,
    an_id,
    answering,
    around,
    at,
    driven,
    failing,
    named_tasks,
    status_of,
    two_phases,
    wanting,
    with_questions,
    with_status,
    with_tasks,
    written,
)

BY = Caller("work", SUPERVISOR_UID, 3)
NOW = 50.0


def spawn(number: int, by: Caller = BY, **fields: Any) -> SpawnTask:
    return SpawnTask(by, an_id(number), fields.pop("name", "build"), fields.pop("phase", "plan"), at(NOW), **fields)


def end(number: int, *, failed: bool = False, seconds: float = NOW) -> EndTask:
    return EndTask(BY, an_id(number), failed, at(seconds), "done")


def ask(number: int, text: str = "Which?", *options: str) -> AskQuestion:
    return AskQuestion(BY, an_id(number), text, "plan", at(NOW), options)


def deliver(phase: str, identifier: str, by: Caller = BY) -> CompleteDeliverable:
    return CompleteDeliverable(by, phase, identifier, "git://it", f"sha256:{'a' * 64}")


def move(to: str, version: int, by: Caller = BY) -> AskAdvance:
    return AskAdvance(by, to, version, "it is done")


def tell(contract: Contract, *reports: Report, **fields: Any) -> Decision:
    """One decision, whose write the API server must take."""
    fields.setdefault("recorded_version", status_of(contract).version)
    seen = around(fields.pop("seconds", NOW), supervisor=a_supervisor(incarnation=3), reports=reports, **fields)
    decision = decide(contract, seen)
    if decision.status is not None:
        written(contract, decision, seen)
    assert len(decision.told) == len(reports)
    return decision


def outcome(decision: Decision) -> Outcome:
    (only,) = decision.told
    return only


def new_status(decision: Decision) -> ContractStatus:
    assert decision.status is not None
    return decision.status


def by_hand(**spec: Any) -> Contract:
    return active(a_phase("plan", "a"), a_phase("execute", "b"), **spec)


def refused(decision: Decision) -> RefusedReport:
    found = outcome(decision)
    assert isinstance(found, RefusedReport)
    assert decision.status is None or not decision.status.tasks
    return found


def test_a_task_is_listed_and_starts_the_contract_in_the_same_write() -> None:
    decision = tell(accepted(a_phase("plan")), spawn(1), spawn(2, template="tests"))
    assert decision.told == (Taken(), Taken())
    status = new_status(decision)
    assert status.state is ContractState.ACTIVE
    assert [(task.id, task.state, task.template) for task in status.tasks] == [
        (an_id(1), TaskState.RUNNING, None),
        (an_id(2), TaskState.PENDING, "tests"),
    ]
    assert status.last_activity_time == at(NOW)


def test_tasks_and_questions_leave_the_version_alone() -> None:
    contract = active(a_phase("plan", "a"))
    status = new_status(tell(contract, spawn(1)))
    assert status.version == status_of(contract).version


@pytest.mark.parametrize("failed", [True, False])
def test_an_end_is_written_once_and_the_first_one_stays(failed: bool) -> None:
    contract = with_tasks(active(a_phase("plan", "a")), a_task(1))
    status = new_status(tell(contract, end(1, failed=failed)))
    (task,) = status.tasks
    assert task.state is (TaskState.FAILED if failed else TaskState.COMPLETED)
    assert (task.completion_time, task.message) == (at(NOW), "done")
    again = tell(with_status(contract, tasks=status.tasks), end(1, failed=not failed))
    assert outcome(again) == Taken(duplicate=True)
    assert again.status is None or again.status.tasks == status.tasks


def test_the_last_task_moves_the_phase_in_the_same_write() -> None:
    phases = (a_phase("plan", gate=a_gate(all_tasks())), a_phase("execute", "b"))
    contract = with_tasks(active(a_phase("plan", "a", gate=a_gate(all_tasks())), phases[1]), a_task(1))
    decision = tell(contract, deliver("plan", "a"), end(1))
    assert (new_status(decision).phase, new_status(decision).version) == ("execute", status_of(contract).version + 1)


def test_spawning_again_spawns_nothing() -> None:
    contract = with_tasks(active(a_phase("plan", "a")), a_task(1))
    decision = tell(contract, spawn(1))
    assert outcome(decision) == Taken(duplicate=True)
    assert decision.status is None or decision.status.tasks == status_of(contract).tasks


def test_a_task_that_is_not_listed_was_folded_and_is_not_counted_again() -> None:
    decision = tell(active(a_phase("plan", "a")), end(9))
    assert outcome(decision) == Taken(duplicate=True)
    assert decision.status is None or not decision.status.task_counts


def full_of(state: TaskState, **fields: Any) -> Contract:
    tasks = [a_task(number, state).model_copy(update=fields) for number in range(TASKS)]
    return with_tasks(active(a_phase("plan", "a")), *tasks)


def test_a_list_full_of_running_tasks_refuses_another_and_names_the_bound() -> None:
    decision = tell(full_of(TaskState.RUNNING), spawn(900))
    found = outcome(decision)
    assert isinstance(found, RefusedReport)
    assert (found.code, found.details["bound"]) == ("VALIDATION_FAILED", TASKS)
    assert f"{TASKS} tasks are listed" in found.message


@pytest.mark.parametrize("state", [TaskState.COMPLETED, TaskState.FAILED])
def test_the_oldest_finished_task_makes_room(state: TaskState) -> None:
    contract = full_of(state, completion_time=at(NOW - 1))
    oldest = status_of(contract).tasks[7].model_copy(update={"completion_time": at(NOW - 2)})
    tasks = (*status_of(contract).tasks[:7], oldest, *status_of(contract).tasks[8:])
    status = new_status(tell(with_tasks(contract, *tasks), spawn(900)))
    assert len(status.tasks) == TASKS
    assert oldest.id not in {task.id for task in status.tasks}
    (count,) = status.task_counts
    assert (count.phase, count.completed + count.failed) == ("plan", 1)


def test_tasks_that_ended_long_ago_fold_when_another_comes() -> None:
    long_ago = at(NOW) - LISTED
    old = [a_task(1, TaskState.COMPLETED), a_task(2, TaskState.FAILED)]
    ended = [task.model_copy(update={"completion_time": long_ago}) for task in old]
    recent = a_task(3, TaskState.COMPLETED).model_copy(update={"completion_time": long_ago + timedelta(seconds=1)})
    status = new_status(tell(with_tasks(active(a_phase("plan", "a")), *ended, recent), spawn(4)))
    assert [task.id for task in status.tasks] == [an_id(3), an_id(4)]
    (count,) = status.task_counts
    assert (count.completed, count.failed) == (1, 1)


def test_a_task_that_a_gate_names_is_never_folded() -> None:
    contract = active(a_phase("plan", "a", gate=a_gate(named_tasks("build"))))
    tasks = [a_task(number, TaskState.COMPLETED).model_copy(update={"completion_time": at(0)}) for number in range(64)]
    found = outcome(tell(with_tasks(contract, *tasks), spawn(900), seconds=5000))
    assert isinstance(found, RefusedReport)


def test_a_question_makes_the_contract_wait_in_the_same_write() -> None:
    status = new_status(tell(by_hand(), ask(1, "Which branch?", "main", "next"), ask(2)))
    assert (status.state, status.waiting_for) == (ContractState.WAITING_FOR_INPUT, "answer: Which branch?")
    assert [(item.type, item.options) for item in status.questions] == [("choice", ("main", "next")), ("free-text", ())]


def test_asking_again_asks_nothing() -> None:
    contract = driven(with_questions(by_hand(), a_question(1)), around(5))
    assert outcome(tell(contract, ask(1))) == Taken(duplicate=True)


def test_more_questions_than_fit_are_refused() -> None:
    contract = with_questions(by_hand(), *(a_question(number) for number in range(QUESTIONS)))
    found = outcome(tell(contract, ask(900)))
    assert isinstance(found, RefusedReport)
    assert (found.code, found.details["bound"]) == ("VALIDATION_FAILED", QUESTIONS)


def test_a_deliverable_is_recorded_with_its_reporter() -> None:
    contract = by_hand()
    status = new_status(tell(contract, deliver("plan", "a")))
    (done,) = status.deliverables
    assert (done.completed_by, done.uri, done.completed_time) == ("supervisor/3", "git://it", at(NOW))
    last = status.transitions[-1]
    assert (last.reason, last.actor, last.message) == ("DeliverableCompleted", "supervisor/3", "Completed plan/a")
    assert [(item.phase, item.id) for item in last.deliverables] == [("plan", "a")]
    again = tell(with_status(contract, **dict(status)), deliver("plan", "a"))
    assert (outcome(again), again.status) == (Taken(duplicate=True), None)


def test_a_deliverable_that_the_phase_does_not_have_is_refused_with_those_it_has() -> None:
    found = refused(tell(by_hand(), deliver("plan", "b")))
    assert (found.code, found.message) == ("INVALID_DELIVERABLE", "phase plan has no deliverable b; it has a")


def test_deliverables_of_people_and_supervisors_share_the_bound_of_one_version() -> None:
    contract = active(a_phase("p", *(f"d{n}" for n in range(8))), a_phase("q", *(f"e{n}" for n in range(8))))
    told = [deliver("p", f"d{n}") for n in range(8)]
    decision = tell(contract, *told, deliver("q", "e0"))
    assert decision.told[:8] == (Taken(),) * 8
    last = decision.told[8]
    assert isinstance(last, RefusedReport)
    assert last.code == "UNAVAILABLE"


def test_an_unguarded_wish_moves_on_when_the_gate_is_ready() -> None:
    contract = by_hand()
    version = status_of(contract).version
    decision = tell(contract, move("execute", version))
    told = f"plan → execute at version {version + 1}"
    assert outcome(decision) == AdvanceAnswer(AdvanceOutcome.SUCCESS, "execute", version + 1, told)
    last = new_status(decision).transitions[-1]
    assert (last.reason, last.actor, last.message) == ("Advanced", "supervisor/3", "plan → execute: it is done")


def answer_of(decision: Decision) -> AdvanceAnswer:
    found = decision.told[-1]
    assert isinstance(found, AdvanceAnswer)
    return found


def test_a_wish_made_again_after_its_answer_was_lost_gets_the_same_answer() -> None:
    contract = by_hand()
    version = status_of(contract).version
    moved = with_status(contract, **dict(new_status(tell(contract, move("execute", version)))))
    again = answer_of(tell(moved, move("execute", version)))
    assert (again.outcome, again.phase, again.version) == ("Success", "execute", version + 1)
    other = answer_of(tell(moved, move("execute", version, Caller("work", SUPERVISOR_UID, 4))))
    assert other.outcome == "VersionConflict"


def test_a_wish_for_the_end_completes_and_is_recognised_too() -> None:
    contract = active(a_phase("plan", "a"))
    version = status_of(contract).version
    decision = tell(contract, move("Completed", version))
    assert new_status(decision).state is ContractState.COMPLETING
    done = driven(with_status(contract, **dict(new_status(decision))), around(NOW))
    assert answer_of(tell(done, move("Completed", version))).outcome == "Success"


@pytest.mark.parametrize(
    ("contract", "to", "expected", "told"),
    [
        (by_hand(), "execute", "VersionConflict", "expected 1, actual 2, phase plan"),
        (by_hand(), "review", "ValidationFailed", "from plan the contract moves to execute"),
        (active(*two_phases()), "execute", "ValidationFailed", "the gate is not ready"),
        (by_hand(phase_guard=True), "execute", "RequiresConfirmation", "spec.advance.confirmed"),
        (wanting(by_hand(), suspend=True), "execute", "ValidationFailed", "suspended"),
    ],
)
def test_a_wish_that_can_not_be_met_is_answered_with_the_reason(
    contract: Contract, to: str, expected: str, told: str
) -> None:
    version = status_of(contract).version - (expected == "VersionConflict")
    answer = answer_of(tell(contract, move(to, version)))
    assert answer.outcome == expected
    assert told in answer.message
    assert (answer.phase, answer.version) == ("plan", status_of(contract).version)


def test_what_the_gate_misses_and_what_a_person_has_to_see_come_with_the_answer() -> None:
    missing = answer_of(tell(active(*two_phases()), move("execute", 2)))
    assert missing.missing == ("Deliverable: plan-document",)
    guarded = answer_of(tell(by_hand(phase_guard=True), move("execute", 2)))
    assert guarded.deliverables == ("a (open)",)


def test_two_wishes_in_one_call_move_one_phase() -> None:
    contract = active(a_phase("p"), a_phase("q"), a_phase("r"))
    decision = tell(contract, move("q", 2), move("r", 2))
    assert new_status(decision).phase == "q"
    assert answer_of(decision).outcome == "VersionConflict"


def test_a_wish_of_the_supervisor_and_one_of_a_person_move_one_phase() -> None:
    contract = advancing(active(a_phase("p"), a_phase("q"), a_phase("r")), "q")
    decision = tell(contract, move("q", 2))
    assert (new_status(decision).phase, new_status(decision).version) == ("q", 3)


def test_under_a_guard_a_wish_that_comes_with_a_deliverable_is_asked_again() -> None:
    decision = tell(by_hand(phase_guard=True), deliver("plan", "a"), move("execute", 2))
    assert answer_of(decision).outcome == "VersionConflict"
    assert new_status(decision).phase == "plan"


VALIDATED = a_gate(validator=a_validator(retry_seconds=60), auto=False)


def test_a_wish_waits_for_the_validator_and_moves_with_its_yes() -> None:
    contract = active(a_phase("plan", gate=VALIDATED), a_phase("execute"))
    first = answer_of(tell(contract, move("execute", 2)))
    assert first.outcome == "ValidationFailed"
    assert first.awaits is not None
    verdict = Verdict(first.awaits.fingerprint, at(NOW), ready=True)
    assert answer_of(tell(contract, move("execute", 2), verdict=verdict)).outcome == "Success"


def test_reports_are_written_though_a_validator_is_still_open() -> None:
    gate = a_gate(validator=a_validator(retry_seconds=60))
    contract = active(a_phase("plan", gate=gate), a_phase("execute"))
    decision = tell(contract, spawn(1))
    assert [task.id for task in new_status(decision).tasks] == [an_id(1)]
    assert decision.question is None


def test_reports_do_not_wait_for_the_validator_of_a_persons_request() -> None:
    contract = advancing(active(a_phase("plan", "a", gate=VALIDATED), a_phase("execute")), "execute")
    contract = with_status(driven(contract, around(5)), tasks=())
    assert [task.id for task in new_status(tell(contract, spawn(1))).tasks] == [an_id(1)]


def carried(contract: Contract, incarnation: int, uid: str = SUPERVISOR_UID) -> Contract:
    return with_status(contract, supervisor_ref=SupervisorReference(name="work", uid=uid, incarnation=incarnation))


@pytest.mark.parametrize(
    "report", [spawn(1), end(1), ask(1), deliver("plan", "a"), deliver("plan", "zzz"), move("execute", 2)]
)
def test_an_older_life_is_refused_whatever_it_says(report: Report) -> None:
    contract = carried(by_hand(), 4)
    decision = tell(contract, report)
    assert outcome(decision) == Superseded(4)
    assert decision.status is None


@pytest.mark.parametrize("uid", [SUPERVISOR_UID, an_id(77)])
def test_the_write_of_a_newer_life_raises_the_fence(uid: str) -> None:
    contract = carried(by_hand(), 2, uid)
    seen = around(NOW, reports=(spawn(1),), recorded_version=2)  # the operator has not heard of this life yet
    decision = decide(contract, seen)
    reference = new_status(decision).supervisor_ref
    assert reference is not None
    assert (reference.uid, reference.incarnation) == (SUPERVISOR_UID, 3)


def test_the_operator_never_lowers_the_fence() -> None:
    contract = driven(carried(by_hand(), 7), around(NOW, supervisor=a_supervisor(incarnation=3)))
    reference = status_of(contract).supervisor_ref
    assert reference is not None
    assert reference.incarnation == 7


@pytest.mark.parametrize("report", [spawn(1), ask(1)])
def test_a_finished_contract_takes_no_new_work(report: Report) -> None:
    found = refused(tell(failing(by_hand(), 5), report))
    assert found.code == "INVALID_TRANSITION"


def test_what_was_done_counts_though_the_contract_failed_but_not_once_it_is_archived() -> None:
    failed = failing(by_hand(), 5)
    assert outcome(tell(failed, deliver("plan", "a"))) == Taken()
    archived = driven(wanting(failed, archived=True), around(6))
    assert refused(tell(archived, deliver("plan", "a"))).code == "INVALID_TRANSITION"


def test_a_report_counts_while_paused() -> None:
    contract = driven(wanting(by_hand(), suspend=True), around(5))
    status = new_status(tell(contract, spawn(1), deliver("plan", "a")))
    assert (status.state, len(status.tasks), len(status.deliverables)) == (ContractState.PAUSED, 1, 1)


def test_a_contract_that_is_not_accepted_or_leaving_takes_nothing() -> None:
    new = decide(a_contract(), around(0, reports=(spawn(1),)))
    (found,) = new.told
    assert isinstance(found, RefusedReport)
    assert found.code == "UNAVAILABLE"
    leaving = by_hand()
    leaving = leaving.model_copy(update={"metadata": leaving.metadata.model_copy(update={"deletion_timestamp": at(1)})})
    assert refused(tell(leaving, spawn(1))).code == "CONTRACT_NOT_FOUND"


def test_with_a_full_outbox_tasks_are_taken_and_what_needs_a_version_is_asked_again() -> None:
    contract = by_hand()
    item = status_of(contract).transitions[-1]
    full = tuple(item.model_copy(update={"version": n + 1}) for n in range(TRANSITIONS))
    contract = with_status(contract, transitions=full, version=TRANSITIONS, recorded_version=None)
    reports = (spawn(1), deliver("plan", "a"), move("execute", TRANSITIONS))
    decision = decide(contract, around(NOW, reports=reports, recorded_version=0))
    assert decision.told[0] == Taken()
    assert [found.code for found in decision.told[1:] if isinstance(found, RefusedReport)] == ["UNAVAILABLE"] * 2
    assert [task.id for task in new_status(decision).tasks] == [an_id(1)]


@pytest.mark.parametrize(
    ("recorded", "left"), [(None, 0), (frozenset(), 1), (frozenset({an_id(1)}), 0), (frozenset({an_id(2)}), 1)]
)
def test_a_question_is_closed_once_postgres_has_its_answer(recorded: frozenset[str] | None, left: int) -> None:
    contract = answering(driven(with_questions(by_hand(), a_question(1)), around(5)), an_id(1))
    assert [(question.id, answer.answer) for question, answer in open_answers(contract)] == [(an_id(1), "yes")]
    contract = driven(contract, around(6, recorded_answers=recorded))
    assert len(status_of(contract).questions) == left
    expected = ContractState.WAITING_FOR_INPUT if left else ContractState.ACTIVE
    assert status_of(contract).state is expected


def test_without_a_status_no_answer_is_open() -> None:
    assert open_answers(a_contract()) == ()
