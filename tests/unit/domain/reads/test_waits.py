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
from makima.models.contract_status import CompletedDeliverable, SupervisorReference
from makima.models.enums import ConditionStatus, ContractState, SupervisorState
from makima.models.supervisor import Supervisor, SupervisorSettings, SupervisorSpec
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
    all_tasks,
    an_id,
    answering,
    at,
    failing,
    two_phases,
    wanting,
    with_status,
    with_tasks,
)

S, K = ContractState, Kind
KEY = "default/work"
SUPERVISE = ("makima", "supervise", "--contract", KEY, "--", "COMMAND")
DONE = (CompletedDeliverable(phase="plan", id="plan-document", completed_time=at(50)),)


def told(kind: ConditionType, status: ConditionStatus, reason: str, message: str = "so it is") -> Condition:
    return Condition(
        type=kind, status=status, reason=reason, message=message, observed_generation=1, last_transition_time=at(40)
    )


def dead(reason: AliveReason = AliveReason.TIMED_OUT, *, of_a_pod: bool = False) -> Supervisor:
    found = a_supervisor(
        SupervisorState.INTERRUPTED,
        incarnation=2,
        conditions=(told(ConditionType.ALIVE, ConditionStatus.FALSE, reason),),
    )
    return found.model_copy(update={"spec": SupervisorSpec(template=POD.template)}) if of_a_pod else found


def answered(when: str) -> Contract:
    """A question that a person has answered, and the operator has not taken up."""
    contract = answering(with_status(active(), questions=(a_question(7),)), an_id(7))
    field = f'k:{{"questionId":"{an_id(7)}"}}'
    written = {"manager": "makima", "time": when, "fieldsV1": {"f:spec": {"f:answers": {field: {".": {}}}}}}
    other = {"manager": "kubectl", "time": "2026-01-01T12:09:00Z", "fieldsV1": {"f:spec": {"f:suspend": {}}}}
    meta = contract.metadata.model_copy(update={"managed_fields": (other, written)})
    return contract.model_copy(update={"metadata": meta})


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
        SUPERVISE,
        START,
    ),
    ("pod, not begun", lambda: accepted(supervisor=POD), None, K.START, False, ("contracts", "logs", KEY), START),
    (
        "work",
        active,
        None,
        K.WORK,
        False,
        ("contracts", "complete-deliverable", KEY, "plan-document"),
        START,
    ),
    (
        "tasks, which only their supervisor ends",
        lambda: with_tasks(with_status(active(*two_phases(a_gate(all_tasks()))), deliverables=DONE), a_task(1)),
        None,
        K.WORK,
        False,
        None,
        START,
    ),
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
        lambda: answered("2026-01-01T12:00:30Z"),
        None,
        K.OPERATOR,
        False,
        ("makima", "doctor"),
        at(30),
    ),
    (
        "answered, and nothing tells when",
        lambda: answered(""),
        None,
        K.OPERATOR,
        False,
        ("makima", "doctor"),
        None,
    ),
    (
        "blocked",
        lambda: carried(active(), state=S.BLOCKED, blocked_reason="no licence"),
        None,
        K.BLOCKED,
        True,
        ("contracts", "restart-supervisor", KEY),
        START,
    ),
    (
        "supervisor waits",
        lambda: carried(active(), state=S.WAITING_FOR_INPUT, waiting_for=SUPERVISOR_WAITS),
        None,
        K.SUPERVISOR_ASKS,
        True,
        ("contracts", "restart-supervisor", KEY),
        START,
    ),
    (
        "blocked, and its external supervisor is dead",
        lambda: carried(active(), state=S.BLOCKED, blocked_reason="no licence"),
        dead(),
        K.BLOCKED,
        True,
        SUPERVISE,
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
        "stale, not carried, external",
        lambda: with_status(active(), conditions=(STALE,), supervisor_ref=None),
        None,
        K.STALE,
        True,
        SUPERVISE,
        START,
    ),
    (
        "stale, and no pod of it carries it",
        lambda: with_status(active(supervisor=POD), conditions=(STALE,), supervisor_ref=None),
        None,
        K.STALE,
        True,
        ("kubectl", "-n", "default", "events", "--for", "contract/work"),
        START,
    ),
    (
        "dead supervisor of a pod",
        lambda: carried(active()),
        dead(of_a_pod=True),
        K.RESTART,
        False,
        ("contracts", "logs", KEY),
        at(40),
    ),
    ("dead external supervisor", lambda: carried(active()), dead(), K.RESTART, True, SUPERVISE, at(40)),
    (
        "history full",
        lambda: with_status(active(), conditions=(FULL,)),
        None,
        K.HISTORY,
        False,
        ("makima", "doctor"),
        at(40),
    ),
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


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row[5] is None and row[3] is not K.NOTHING], ids=lambda r: r[0]
)
def test_where_no_command_unblocks_it_the_words_say_who_does(row: Row) -> None:
    _, build, supervisor, *_ = row
    assert waits(build(), supervisor, at(100))[0].what.startswith(("its supervisor", "the validator", "the operator"))


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
