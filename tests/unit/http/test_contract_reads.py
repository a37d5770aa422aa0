"""What people read of one contract, live or gone."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from makima.domain.settings import Settings
from makima.models.enums import TaskState
from makima.models.history import HistoryEvent
from makima.models.supervision import StoredQuestion, StoredTask
from tests.support.fakes import START
from tests.support.rest_world import RestWorld

MOVE = {"expected_version": 1}


@pytest.mark.parametrize("by_uid", [True, False])
async def test_one_contract_with_old_and_new_names(by_uid: bool) -> None:
    world = RestWorld()
    uid = world.contract(description="a thing")
    world.history.add(world.row())
    found = await world.good("ray", "GET", f"/{uid}" if by_uid else "/ns:work")
    assert found["id"] == found["uid"] == str(uid)
    assert (found["type"], found["contract_type"]) == ("simple", "simple")
    assert (found["status"], found["state"], found["phase"], found["version"]) == ("active", "created", "plan", 1)
    assert found["auto_complete"] is found["auto_complete_enabled"] is True
    assert [phase["name"] for phase in found["phase_list"]] == ["plan", "execute"]
    assert found["live"] and found["accepted"]


async def test_with_enhanced_status_off_only_old_values_are_shown() -> None:
    world = RestWorld(Settings(enhanced_status=False))
    world.contract()
    found = await world.good("ray", "GET", "/ns:work")
    assert (found["status"], found["state"]) == ("active", "active")


async def test_with_enhanced_status_off_a_contract_that_is_not_accepted_yet_has_an_old_value_too() -> None:
    world = RestWorld(Settings(enhanced_status=False))
    world.server.operator = False
    world.contract()
    found = await world.good("ray", "GET", "/ns:work")
    assert (found["accepted"], found["status"], found["state"]) == (False, "active", "active")


@pytest.mark.parametrize(("enhanced", "shown"), [(True, ("paused", "failed")), (False, ("active", "completed"))])
async def test_events_have_the_statuses_that_the_flag_allows(enhanced: bool, shown: tuple[str, str]) -> None:
    world = RestWorld(Settings(enhanced_status=enhanced))
    uid = world.contract()
    payload = {"old_status": "paused", "new_status": "failed", "reason": "by hand"}
    world.history.happened(HistoryEvent(uuid4(), uid, "ns", "work", 2, "StatusChanged", START, "ann", payload))
    read = await world.good("ray", "GET", "/ns:work/events")
    newest = await world.good("ray", "GET", "/ns:work/events?before=9007199254740992")
    exported = await world.good("ray", "GET", "/ns:work/export")
    expected = {"old_status": shown[0], "new_status": shown[1], "reason": "by hand"}
    for events in (read["events"], newest["events"], exported["history"]):
        assert [event["payload"] for event in events] == [expected]


async def test_a_contract_that_is_gone_is_shown_as_it_was_and_can_not_be_changed() -> None:
    world = RestWorld()
    world.contract()
    uid = world.gone()
    found = await world.good("ray", "GET", f"/{uid}")
    assert found["live"] is False and found["deleted_at"] is not None
    for path, body in (("phase", MOVE), ("status", {"status": "paused"}), ("deliverables", {"id": "plan-document"})):
        assert await world.refused("ann", "POST", f"/{uid}/{path}", body) == (404, "CONTRACT_NOT_FOUND")
    assert await world.refused("ann", "DELETE", f"/{uid}") == (404, "CONTRACT_NOT_FOUND")


async def test_a_contract_that_is_not_accepted_yet_says_so() -> None:
    world = RestWorld()
    world.server.operator = False
    world.contract()
    found = await world.good("ray", "GET", "/ns:work")
    assert (found["accepted"], found["state"], found["phase"], found["version"]) == (False, "created", None, 0)
    assert await world.refused("ann", "POST", "/ns:work/phase", MOVE) == (503, "UNAVAILABLE")


async def test_deliverables_by_phase() -> None:
    world = RestWorld()
    world.contract(deliverables=[{"phase": "plan", "id": "plan-document", "uri": "https://x.test/1"}])
    found = await world.good("ray", "GET", "/ns:work/deliverables")
    assert found["phase"] == "execute"
    assert [(one["id"], one["completed"], one["uri"]) for one in found["deliverables"]] == [
        ("plan-document", True, "https://x.test/1"),
        ("pull-request", False, None),
    ]


async def test_events_are_read_page_by_page_also_when_the_contract_is_gone() -> None:
    world = RestWorld()
    uid = world.contract()
    for number in range(5):
        world.history.happened(HistoryEvent(uuid4(), uid, "ns", "work", number, "StatusChanged", START, "ann"))
        world.history.happened(HistoryEvent(uuid4(), uuid4(), "ns", "other", number, "StatusChanged", START))
    world.gone()
    seen, after, more = [], 0, True
    while more:
        page = await world.good("ray", "GET", f"/{uid}/events?limit=2&after={after}")
        seen += [event["version"] for event in page["events"]]
        after, more = page["next_after"], page["more"]
    assert seen == [0, 1, 2, 3, 4]
    assert (await world.good("ray", "GET", f"/{uid}/events?after={after}"))["events"] == []
    back, before, more = list[int](), 2**53, True
    while more:
        page = await world.good("ray", "GET", f"/{uid}/events?limit=2&before={before}")
        back = [event["version"] for event in page["events"]] + back
        before, more = page["events"][0]["seq"], page["more"]
    assert back == seen
    assert (await world.good("ray", "GET", f"/{uid}/events?before={before}"))["events"] == []


async def test_tasks_and_questions_are_read_page_by_page() -> None:
    world = RestWorld()
    uid = world.contract()
    for number in range(5):
        at = START + timedelta(seconds=number // 2)
        world.history.tasks.append(StoredTask(UUID(int=number), uid, "plan", f"t{number}", TaskState.RUNNING, at))
        answer = "yes" if number % 2 else None
        world.history.questions.append(StoredQuestion(UUID(int=number), uid, 1, "plan", "why?", (), at, answer))
    for path, expected in (("tasks?", 5), ("questions?", 5), ("questions?open=true&", 3)):
        name = path.partition("?")[0]
        seen, cursor = [], ""
        while cursor is not None:
            page = await world.good("ray", "GET", f"/ns:work/{path}limit=2" + (f"&cursor={cursor}" if cursor else ""))
            seen += [one["id"] for one in page[name]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == expected


async def test_readiness_and_completion_in_the_plans_words() -> None:
    world = RestWorld()
    world.contract()
    assert await world.good("ray", "GET", "/ns:work/phase-readiness") == {
        "phase": "plan",
        "ready": False,
        "missing": ["Deliverable: plan-document"],
        "auto_advance_enabled": True,
    }
    assert await world.good("ray", "POST", "/ns:work/check-completion") == {
        "ready": False,
        "would_complete": False,
        "missing": ["Deliverable: plan-document", "Phase: execute"],
    }


async def test_a_validator_is_asked_once_while_its_answer_is_fresh() -> None:
    world = RestWorld()
    world.validators.ready, world.validators.missing = False, ("style",)
    gate = {"validator": {"cel": {"expression": "false"}}}
    world.contract(phases=[{"name": "plan", "gate": gate}, {"name": "execute"}])
    for _ in range(3):
        found = await world.good("ray", "GET", "/ns:work/phase-readiness")
        assert (found["ready"], found["missing"]) == (False, ["style"])
    assert world.validators.asked == 1
