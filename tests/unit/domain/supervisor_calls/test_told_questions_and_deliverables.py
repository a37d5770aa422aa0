"""Questions and deliverables that a supervisor tells of."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.reports import open_answers
from makima.domain.supervisor_calls.told import (
    RefusedReport,
    Taken,
)
from makima.models.bounds import QUESTIONS
from makima.models.enums import ContractState
from tests.support.builders import (
    a_contract,
    a_phase,
    a_question,
    active,
    an_id,
    answering,
    around,
    at,
    driven,
    status_of,
    with_questions,
    with_status,
)
from tests.support.told_values import (
    NOW,
    ask,
    by_hand,
    deliver,
    new_status,
    outcome,
    refused,
    tell,
)


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
