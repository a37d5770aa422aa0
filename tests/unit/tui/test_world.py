"""What the monitor makes of what it is told: rows, events, and whether all of it is live."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makima.models.enums import ContractState
from makima.tui.feed import Feed, feed_line
from makima.tui.happenings import is_important, look_of, merged, seen_in, sentence, told_by
from makima.tui.source import (
    ApiLink,
    ContractGone,
    ContractsSeen,
    Happened,
    Happening,
    Kind,
    KubeLink,
    Link,
    LinkState,
    Listed,
    Missed,
    SupervisorGone,
    SupervisorsSeen,
)
from makima.tui.world import World
from tests.support.monitor_contracts import NOW, a_contract, a_supervisor
from tests.support.monitor_teams import QUESTION, happening, heartbeat
from tests.support.monitor_world import told

PAY, WEB = ("team-a", "pay"), ("team-b", "web")


def a_world() -> World:
    world = World()
    contracts = [a_contract("pay"), a_contract("web", namespace="team-b")]
    for change in told(contracts, [a_supervisor("pay")]):
        world.apply(change, NOW)
    world.take_touched()
    return world


def test_only_rows_that_are_others_now_are_touched() -> None:
    world = a_world()
    world.apply(ContractsSeen([a_contract("pay"), a_contract("web", "Paused", namespace="team-b")]), NOW)
    touched = world.take_touched()
    assert touched.rows == {WEB}
    assert world.rows[WEB].state is ContractState.PAUSED
    assert not world.take_touched()


def test_what_a_new_list_does_not_hold_is_gone_in_its_namespace_only() -> None:
    world = a_world()
    world.apply(Listed(Kind.CONTRACTS, frozenset(), "team-a"), NOW)
    assert set(world.rows) == {WEB}
    world.apply(Listed(Kind.CONTRACTS, frozenset()), NOW)
    assert not world.rows
    assert world.take_touched().rows == {PAY, WEB}


def test_contract_and_supervisor_come_and_go_in_any_order() -> None:
    world = World()
    world.apply(SupervisorsSeen([a_supervisor("pay", "Idle")]), NOW)
    assert not world.rows
    world.apply(ContractsSeen([a_contract("pay")]), NOW)
    assert world.rows[PAY].supervisor is not None
    world.apply(SupervisorGone(PAY), NOW)
    assert world.rows[PAY].supervisor is None
    world.apply(ContractGone(PAY), NOW)
    world.apply(ContractGone(PAY), NOW)
    assert not world.rows


def test_heartbeats_of_the_stream_change_the_row_and_stay_out_of_the_log() -> None:
    world = a_world()
    world.apply(Happened([heartbeat(a_contract("pay"), NOW, activity="types", progress=7)]), NOW)
    assert (world.rows[PAY].activity, world.rows[PAY].progress) == ("types", 7)
    assert world.take_touched().events == [] and not world.events


def test_a_heartbeat_of_an_earlier_contract_of_the_same_name_is_not_taken() -> None:
    world = a_world()
    stranger = Happening("Heartbeat", NOW, PAY, "another-uid", fields={"activity": "ghost"})
    world.apply(Happened([stranger]), NOW)
    assert world.rows[PAY].activity != "ghost"


def test_without_the_api_the_watch_itself_tells_what_happened() -> None:
    world = a_world()
    world.apply(ApiLink(Link(LinkState.DOWN, NOW, "gone")), NOW)
    world.apply(ContractsSeen([a_contract("pay", "Failed", version=4, since=1)]), NOW)
    assert [(event.type, event.fields.get("new_status")) for event in world.events] == [("StatusChanged", "failed")]
    world.apply(ApiLink(Link(LinkState.LIVE, NOW)), NOW)
    world.apply(ContractsSeen([a_contract("pay", "Active", version=5, since=0)]), NOW)
    assert len(world.events) == 1  # the stream tells it


def test_a_resource_tells_its_last_versions_and_open_questions_and_nothing_twice() -> None:
    before = a_contract("pay", "Active", version=3)
    after = a_contract("pay", "WaitingForInput", version=4, since=1, questions=[QUESTION], waitingFor="answer: x")
    assert [event.type for event in told_by(after)] == ["QuestionAsked", "StatusChanged"]
    assert [event.type for event in seen_in(before, after, NOW)] == ["QuestionAsked", "StatusChanged"]
    assert seen_in(after, after, NOW) == []


def test_history_stream_and_resource_together_show_each_event_once_in_order() -> None:
    contract = a_contract("pay", "Failed", version=4, since=60)
    from_resource = told_by(contract)
    streamed = [
        Happening("StatusChanged", from_resource[0].at, PAY, "uid", seq=9, fields=from_resource[0].fields),
        happening(contract, "TaskCompleted", 8, NOW - timedelta(seconds=90), task_name="a", success=False),
    ]
    assert [event.type for event in merged(from_resource, streamed)] == ["TaskCompleted", "StatusChanged"]


@pytest.mark.parametrize(
    ("kind", "fields", "text", "important"),
    [
        ("StatusChanged", {"old_status": "active", "new_status": "failed", "reason": "x"}, "active → failed: x", True),
        ("StatusChanged", {"old_status": "paused", "new_status": "active"}, "paused → active", True),
        ("PhaseChanged", {"old_phase": "plan", "new_phase": "do", "forced": True}, "plan → do (forced)", True),
        ("SupervisorStateChanged", {"old_state": None, "new_state": "failed"}, "none → failed", True),
        ("StaleDetected", {"last_activity": "T"}, "no activity; the last was at T", True),
        ("TaskCompleted", {"task_name": "lint", "success": True}, "lint completed", False),
        ("TaskCompleted", {"task_name": "lint", "success": False}, "lint failed", True),
        ("DeliverableCompleted", {"phase": "plan", "deliverable_id": "d"}, "plan/d", True),
        ("QuestionAsked", {"question": "which\none?"}, "which one?", True),
        ("SomethingNew", {"message": "later"}, "later", True),
        ("SomethingNew", {}, "", True),
    ],
)  # fmt: skip
def test_an_event_is_one_line(kind: str, fields: dict[str, object], text: str, important: bool) -> None:
    event = Happening(kind, NOW, PAY, "uid", fields=fields)
    assert sentence(event) == text
    assert is_important(event) is important
    assert look_of(event).symbol


LIVE, DOWN = Link(LinkState.LIVE, NOW), Link(LinkState.DOWN, NOW, "connection refused")


@pytest.mark.parametrize(
    ("kube", "api", "good", "says"),
    [
        (Link(), Link(), False, ("connecting",)),
        (LIVE, Link(), True, ("live: kube", "connecting")),
        (LIVE, LIVE, True, ("live: API + kube",)),
        (LIVE, DOWN, False, ("kube watch alone", "can't be reached", "connection refused", "missing: heartbeats")),
        (LIVE, Link(LinkState.OFF), False, ("kube watch alone", "is not used", "missing")),
        (DOWN, DOWN, False, ("stale since", "(1m)", "connection refused", "trying again")),
        (DOWN, LIVE, False, ("stale since", "events and heartbeats still come")),
    ],
)
def test_the_status_line_says_what_is_live_and_what_is_missing(
    kube: Link, api: Link, good: bool, says: tuple[str, ...]
) -> None:
    line = feed_line(Feed(kube, api), NOW + timedelta(seconds=65))
    assert line.good is good
    for part in says:
        assert part in f"{line.short} {line.detail}"


def test_a_gap_in_the_stream_is_said_for_a_while() -> None:
    feed = Feed(LIVE, LIVE).after(Missed("events 4 to 9 were left out"), NOW)
    assert "4 to 9" in feed_line(feed, NOW + timedelta(seconds=5)).detail
    assert feed_line(feed, NOW + timedelta(seconds=60)).good
    assert feed_line(feed.after(KubeLink(DOWN), NOW), NOW).short.startswith("○ stale")
