"""What a contract needs, and the row that shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from makima.domain.reads.wait import Kind
from makima.models.contract import Contract
from makima.models.enums import SupervisorState
from makima.tui.appearance import STATES, SUPERVISOR_STATES, step_bar
from makima.tui.attention import BY_KIND, Attention, Need
from makima.tui.caller import Makima
from makima.tui.rows import Beat, beat_of, row_of
from makima.tui.waits import Deed, approval_of, inbox, waits_of
from tests.support.monitor_contracts import DIGEST, NOW, a_body, a_contract, a_question, a_supervisor, stale_condition
from tests.support.monitor_teams import QUESTION, a_team, heartbeat


def need_of(contract: Contract) -> Attention:
    return row_of(contract, None, None, NOW).attention


@pytest.mark.parametrize(
    ("state", "fields", "need", "text"),
    [
        ("Created", {}, Need.PERSON, "a supervisor to register"),
        ("Active", {}, Need.RUNNING, "Deliverable: plan-document"),
        ("Active", {"conditions": stale_condition(95)}, Need.TROUBLE, "a sign of life: nothing has happened"),
        ("WaitingForInput", {"questions": [QUESTION]}, Need.PERSON, f"an answer: {QUESTION['question']}"),
        ("WaitingForInput", {"guard": True, "done": ["plan-document"]}, Need.PERSON, "a confirmation: plan → execute"),
        ("Blocked", {"blockedReason": "no token"}, Need.PERSON, "what blocks it: no token"),
        ("Paused", {}, Need.PAUSED, "somebody to resume it: waits for the release window"),
        ("Failed", {"failureReason": "budget spent"}, Need.TROUBLE, "a retry, or to be archived: budget spent"),
        ("Completing", {}, Need.RUNNING, "the operator, which checks the last gate once more"),
        ("Completed", {}, Need.DONE, ""),
        ("Archived", {}, Need.DONE, ""),
    ],
)
def test_each_state_belongs_to_a_group(state: str, fields: dict[str, Any], need: Need, text: str) -> None:
    found = need_of(a_contract("work", state, **fields))
    assert (found.need, found.text) == (need, text)


def test_every_kind_of_wait_has_a_group() -> None:
    assert set(BY_KIND) == set(Kind)


def test_a_contract_that_was_refused_is_in_trouble_and_says_why() -> None:
    body = a_body("work")
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "UnknownType",
        "message": "there is no type x",
        "observedGeneration": 1,
        "lastTransitionTime": NOW.isoformat(),
    }
    refused = Contract.from_object({**body, "status": {"conditions": [ready]}})
    found = need_of(refused)
    assert (found.need, found.text) == (Need.TROUBLE, "its spec to be mended: there is no type x")
    untouched = Contract.from_object({**body, "status": {}})
    assert need_of(untouched).need is Need.RUNNING
    row = row_of(untouched, None, None, NOW)
    assert (row.state, row.phase, row.steps) == (None, "", 0)


def test_a_question_is_as_old_as_it_is_whatever_the_contract_did_meanwhile() -> None:
    contract = a_contract("work", "WaitingForInput", since=10, waitingFor="answer: x", questions=[QUESTION])
    assert NOW - need_of(contract).since == timedelta(seconds=1980)  # type: ignore[operator]


def test_a_newer_heartbeat_of_the_stream_stands_over_the_resource_and_an_older_one_does_not() -> None:
    contract, supervisor = a_contract("work"), a_supervisor("work", heard=20, currentActivity="old", progress=10)
    newer = Beat(NOW - timedelta(seconds=2), SupervisorState.IDLE, "new", 20)
    older = Beat(NOW - timedelta(seconds=40), SupervisorState.IDLE, "older", 5)
    row = row_of(contract, supervisor, newer, NOW)
    assert (row.activity, row.progress, row.supervisor, row.heartbeat) == ("new", 20, SupervisorState.IDLE, newer.at)
    assert row_of(contract, supervisor, older, NOW).activity == "old"


def test_a_heartbeat_with_a_state_of_a_later_version_is_taken_without_it() -> None:
    beat = beat_of(heartbeat(a_contract("work"), NOW, state="dreaming", activity="x", progress="much"))
    assert (beat.state, beat.activity, beat.progress) == (None, "x", None)


@pytest.mark.parametrize(
    ("state", "heard", "why", "overdue"),
    [
        ("Active", 119, "Heartbeating", False),
        ("Active", 121, "Heartbeating", True),
        ("Active", 121, "Released", False),
        ("Paused", 900, "Heartbeating", False),
        ("Completed", 900, "Finished", False),
    ],
)
def test_a_heartbeat_is_overdue_where_one_is_expected(state: str, heard: float, why: str, overdue: bool) -> None:
    alive = {
        "type": "Alive",
        "status": "True",
        "reason": why,
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": NOW.isoformat(),
    }
    row = row_of(a_contract("work", state), a_supervisor("work", heard=heard, conditions=[alive]), None, NOW)
    assert row.overdue(NOW) is overdue


def test_every_state_has_a_symbol_and_a_word_of_its_own() -> None:
    for looks in (STATES, SUPERVISOR_STATES):
        assert len({look.symbol for look in looks.values()}) == len(looks)
        assert len({look.word for look in looks.values()}) == len(looks)


@pytest.mark.parametrize(
    ("step", "steps", "done", "bar"),
    [
        (1, 5, False, "▒░░░░"),
        (5, 5, False, "████▒"),
        (5, 5, True, "█████"),
        (1, 2, False, "▒▒▒░░"),
        (2, 2, False, "███▒▒"),
        (1, 1, False, "▒▒▒▒▒"),
        (0, 0, False, ""),
    ],
)
def test_the_step_bar_shows_what_is_behind_and_where_it_is(step: int, steps: int, done: bool, bar: str) -> None:
    assert step_bar(step, steps, done) == bar


def test_the_inbox_holds_what_only_a_person_ends_oldest_first() -> None:
    contracts, supervisors = a_team()
    there = {(item.metadata.namespace, item.metadata.name): item for item in supervisors}
    found = [(wait.key[1], wait.deed) for wait in inbox(contracts, there, NOW)]
    assert found == [
        ("search-index", Deed.RETRY),
        ("data-migration", Deed.RESUME),
        ("docs-rewrite", Deed.RESTART),
        ("billing-export", Deed.RESTART),
        ("pay-service", Deed.ANSWER),
        ("web-checkout", Deed.CONFIRM),
    ]


def test_each_question_waits_for_itself_in_full_and_with_its_command() -> None:
    both = [QUESTION, a_question(2, "And the name? " + "x" * 300)]
    waits = [wait for wait in waits_of(a_contract("work", questions=both), None, NOW) if wait.question]
    assert [wait.deed for wait in waits] == [Deed.ANSWER, Deed.ANSWER]
    assert waits[1].text.endswith("x" * 300)
    assert waits[0].command(Makima()) == f"makima contracts answer team-a/work --question {QUESTION['id']} Postgres"


def test_an_approval_names_version_digests_and_what_is_missing() -> None:
    contract = a_contract("work", "WaitingForInput", guard=True, version=7, done=("plan-document",))
    approval = approval_of(contract)
    assert approval is not None
    assert (approval.version, approval.phase, approval.to) == (7, "plan", "execute")
    assert [(item.id, there.digest) for item, there in approval.present] == [("plan-document", DIGEST)]
    assert [item.id for item in approval.absent] == ["plan-log"]
    assert not approval.lacks_required
    last = approval_of(a_contract("work", step=2))
    assert last is not None and last.to == "Completed" and last.lacks_required
    assert approval_of(a_contract("work", "Completed")) is None
