"""What a contract waits for, and the command that unblocks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from makima.domain.reads.wait import Kind, Wait
from makima.domain.reads.waits import waits
from makima.domain.reasons import AliveReason, ConditionReason, ConditionType
from makima.domain.reconcile.rest import SUPERVISOR_WAITS
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.contract_spec import Answer
from makima.models.contract_status import CompletedDeliverable, SupervisorReference
from makima.models.enums import ConditionStatus, ContractState, SupervisorState
from makima.models.supervisor import Supervisor, SupervisorSettings
from tests.support.builders import (
    START,
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
    an_id,
    at,
    failing,
    two_phases,
    wanting,
    with_status,
    with_tasks,
)

S, K = ContractState, Kind
KEY = "default/work"
DONE = (CompletedDeliverable(phase="plan", id="plan-document", completed_time=at(50)),)


def told(kind: ConditionType, status: ConditionStatus, reason: str, message: str = "so it is") -> Condition:
    return Condition(
        type=kind, status=status, reason=reason, message=message, observed_generation=1, last_transition_time=at(40)
    )


def dead(reason: AliveReason = AliveReason.TIMED_OUT) -> Supervisor:
    return a_supervisor(
        SupervisorState.INTERRUPTED,
        incarnation=2,
        conditions=(told(ConditionType.ALIVE, ConditionStatus.FALSE, reason),),
    )


def carried(contract: Contract, **more: object) -> Contract:
    ref = SupervisorReference(name="work", uid=SUPERVISOR_UID, incarnation=1)
    return with_status(contract, supervisor_ref=ref, **more)


def by_hand(**status: object) -> Contract:
    return with_status(active(a_phase("plan", "plan-document"), a_phase("execute")), **status)


def guarded(**status: object) -> Contract:
    return with_status(active(phase_guard=True), deliverables=DONE, **status)


def ready(**spec: object) -> Contract:
    return with_status(active(*two_phases(a_gate(auto=False)), **spec), deliverables=DONE)


Row = tuple[str, Callable[[], Contract], Supervisor | None, Kind, bool, tuple[str, ...] | None, datetime | None]
STUCK = told(ConditionType.PROGRESSING, ConditionStatus.FALSE, ConditionReason.PROGRESS_DEADLINE_EXCEEDED)
STALE = told(ConditionType.STALE, ConditionStatus.TRUE, ConditionReason.NO_ACTIVITY)
FULL = told(ConditionType.HISTORY_RECORDED, ConditionStatus.FALSE, ConditionReason.OUTBOX_FULL)
REFUSED = told(ConditionType.READY, ConditionStatus.FALSE, ConditionReason.UNKNOWN_TYPE)
POD = SupervisorSettings.model_validate({"template": {"containers": [{"name": "a", "image": "x.test/a:1"}]}})

TABLE: list[Row] = [
    ("not looked at", a_contract, None, K.OPERATOR, False, ("makima", "doctor"), START),
    (
        "not accepted",
        lambda: a_contract().model_copy(update={"early_conditions": (REFUSED,)}),
        None,
        K.REFUSED,
        True,
        ("kubectl", "-n", "default", "edit", "contract", "work"),
        at(40),
    ),
    (
        "external, not begun",
        accepted,
        None,
        K.START,
        True,
        ("makima", "supervise", "--contract", KEY, "--", "COMMAND"),
        START,
    ),
    ("pod, not begun", lambda: accepted(supervisor=POD), None, K.START, False, ("contracts", "logs", KEY), START),
    ("work", active, None, K.WORK, False, None, START),
    (
        "paused",
        lambda: with_status(active(), state=S.PAUSED),
        None,
        K.RESUME,
        True,
        ("contracts", "resume", KEY),
        START,
    ),
    (
        "suspended just now",
        lambda: wanting(active(), suspend=True),
        None,
        K.RESUME,
        True,
        ("contracts", "resume", KEY),
        START,
    ),
    (
        "guarded",
        lambda: guarded(
            state=S.WAITING_FOR_INPUT, waiting_for="confirmation: plan → execute", state_changed_time=at(60)
        ),
        None,
        K.CONFIRMATION,
        True,
        ("contracts", "confirm", KEY, "--expected-version", "2"),
        at(60),
    ),
    (
        "guarded, with the plan's old states",
        guarded,
        None,
        K.CONFIRMATION,
        True,
        ("contracts", "confirm", KEY, "--expected-version", "2"),
        at(50),
    ),
    (
        "one question",
        lambda: with_status(active(), questions=(a_question(7),)),
        None,
        K.ANSWER,
        True,
        ("contracts", "answer", KEY, "YOUR ANSWER"),
        START,
    ),
    (
        "several questions",
        lambda: with_status(active(), questions=(a_question(7), a_question(8))),
        None,
        K.ANSWER,
        True,
        ("contracts", "answer", KEY, "--question", an_id(7), "YOUR ANSWER"),
        START,
    ),
    (
        "answered, not taken up",
        lambda: wanting(
            with_status(active(), questions=(a_question(7),)), answers=(Answer(question_id=an_id(7), answer="yes"),)
        ),
        None,
        K.OPERATOR,
        False,
        None,
        None,
    ),
    (
        "blocked",
        lambda: with_status(active(), state=S.BLOCKED, blocked_reason="no licence"),
        None,
        K.BLOCKED,
        True,
        ("contracts", "logs", KEY),
        START,
    ),
    (
        "supervisor waits",
        lambda: with_status(active(), state=S.WAITING_FOR_INPUT, waiting_for=SUPERVISOR_WAITS),
        None,
        K.SUPERVISOR_ASKS,
        True,
        ("contracts", "logs", KEY),
        START,
    ),
    (
        "stuck",
        lambda: carried(active(), conditions=(STUCK,)),
        None,
        K.STUCK,
        True,
        ("contracts", "restart-supervisor", KEY),
        at(40),
    ),
    (
        "stale, carried",
        lambda: carried(active(), conditions=(STALE,)),
        None,
        K.STALE,
        True,
        ("contracts", "restart-supervisor", KEY),
        START,
    ),
    (
        "stale, not carried",
        lambda: with_status(active(), conditions=(STALE,), supervisor_ref=None),
        None,
        K.STALE,
        True,
        ("contracts", "show", KEY),
        START,
    ),
    ("dead supervisor", lambda: carried(active()), dead(), K.RESTART, False, ("contracts", "logs", KEY), at(40)),
    ("history full", lambda: with_status(active(), conditions=(FULL,)), None, K.HISTORY, False, None, at(40)),
    ("by hand, not done", by_hand, None, K.WORK, False, ("contracts", "advance", KEY), START),
    ("by hand, done", lambda: by_hand(deliverables=DONE), None, K.ADVANCE, True, ("contracts", "advance", KEY), START),
    (
        "by hand, done, still at work",
        lambda: by_hand(deliverables=DONE),
        a_supervisor(SupervisorState.WORKING),
        K.ADVANCE,
        False,
        ("contracts", "advance", KEY),
        START,
    ),
    (
        "by hand, done, tasks run",
        lambda: with_tasks(by_hand(deliverables=DONE), a_task(1)),
        None,
        K.ADVANCE,
        False,
        ("contracts", "advance", KEY),
        START,
    ),
    ("ready, does not move by itself", ready, None, K.ADVANCE, True, ("contracts", "advance", KEY), at(50)),
    (
        "ready, moves by itself",
        lambda: with_status(active(), deliverables=DONE),
        None,
        K.OPERATOR,
        False,
        ("contracts", "advance", KEY),
        at(50),
    ),
    (
        "validator",
        lambda: with_status(active(*two_phases(a_gate(validator=a_validator()))), deliverables=DONE),
        None,
        K.VALIDATION,
        False,
        None,
        START,
    ),
    ("completing", lambda: with_status(active(), state=S.COMPLETING), None, K.VALIDATION, False, None, START),
    ("failed", lambda: failing(active(), 70), None, K.RETRY, True, ("contracts", "retry", KEY), at(70)),
    ("completed", lambda: with_status(active(), state=S.COMPLETED), None, K.NOTHING, False, None, START),
    ("archived", lambda: with_status(active(), state=S.ARCHIVED), None, K.NOTHING, False, None, START),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_what_it_waits_for_above_all(row: Row) -> None:
    _, build, supervisor, kind, person, command, since = row
    first = waits(build(), supervisor, at(100))[0]
    assert (first.kind, first.person, first.command, first.since) == (kind, person, command, since)
    assert first.what


def test_everything_that_is_waited_for_is_there_in_the_order_in_which_it_matters() -> None:
    contract = with_status(
        guarded(),
        questions=(a_question(7, "Which colour?"), a_question(8)),
        state=S.WAITING_FOR_INPUT,
        conditions=(STALE,),
    )
    kinds = [wait.kind for wait in waits(contract, None, at(100))]
    assert kinds[:4] == [K.CONFIRMATION, K.ANSWER, K.ANSWER, K.STALE]


def test_what_a_person_has_to_confirm_waits_for_nobody_else() -> None:
    assert [wait.kind for wait in waits(guarded(), None, at(100))] == [K.CONFIRMATION]


def test_an_option_is_the_example_of_an_answer() -> None:
    question = a_question(7).model_copy(update={"options": ("red", "blue")})
    first: Wait = waits(with_status(active(), questions=(question,)), None, at(1))[0]
    assert first.command is not None and first.command[-1] == "red"
    assert first.question_id == question.id
