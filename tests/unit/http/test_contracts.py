"""Contracts over REST, in front of fakes: what people read, what they ask for, and what they are answered."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from makima.domain.settings import Settings
from makima.errors import ClusterUnavailable, Denied
from makima.models.enums import TaskState
from makima.models.history import HistoryEvent
from makima.models.supervision import StoredQuestion, StoredTask
from tests.support.fakes import START
from tests.support.rest_world import RestWorld

MOVE = {"expected_version": 1}


# Reading


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


# Moving


async def test_a_move_as_its_caller_with_the_whole_request_replaced() -> None:
    world = RestWorld()
    world.contract(deliverables=[], phases=[{"name": "plan"}, {"name": "execute"}])
    answer = await world.good("ann", "POST", "/ns:work/phase", {**MOVE, "reason": "go"})
    assert (answer["result"], answer["contract"]["phase"], answer["contract"]["version"]) == ("success", "execute", 2)
    assert world.server.wrote == [("patch", "work", "ann")]
    assert world.spec()["advance"] == {
        "to": "execute",
        "expectedVersion": 1,
        "confirmed": False,
        "force": False,
        "reason": "go",
    }


@pytest.mark.parametrize("to", [None, "Completed", "completed"])
async def test_completing_by_hand(to: str | None) -> None:
    world = RestWorld()
    world.active(phases=[{"name": "only"}])
    body = {"expected_version": world.status()["version"]} | ({"phase": to} if to else {})
    answer = await world.good("ann", "POST", "/ns:work/phase", body)
    assert answer["result"] == "success" and world.status()["state"] == "Completed"


REFUSED_MOVES = {
    "another version": ({"expected_version": 9}, 409, "VERSION_CONFLICT"),
    "gate not ready": ({"expected_version": 1}, 400, "VALIDATION_FAILED"),
    "not the next phase": ({"expected_version": 1, "phase": "review"}, 400, "VALIDATION_FAILED"),
    "may not confirm": ({"expected_version": 1, "force": True, "confirmed": True}, 403, "FORBIDDEN"),
}


@pytest.mark.parametrize("what", REFUSED_MOVES)
async def test_a_move_that_can_not_be_made_leaves_no_trace(what: str) -> None:
    body, status, code = REFUSED_MOVES[what]
    world = RestWorld()
    world.contract()
    before = world.cluster.objects["ns", "work"]
    assert await world.refused("ann", "POST", "/ns:work/phase", body) == (status, code)
    assert world.cluster.objects["ns", "work"] == before and not world.server.wrote


async def test_conflicts_and_guards_carry_what_one_needs_to_go_on() -> None:
    world = RestWorld()
    world.contract(phaseGuard=True, deliverables=[{"phase": "plan", "id": "plan-document"}])
    _, conflict = await world.call("ann", "POST", "/ns:work/phase", {"expected_version": 1})
    version = world.status()["version"]
    assert conflict["error"]["details"] == {"expected": 1, "actual": version, "current_phase": "plan"}
    _, guard = await world.call("ann", "POST", "/ns:work/phase", {"expected_version": version, "force": True})
    assert guard["error"]["code"] == "PHASE_GUARD_REQUIRED"
    shown = [(one["id"], one["completed"]) for one in guard["error"]["details"]["deliverables"]]
    assert shown == [("plan-document", True)]
    _, missing = await RestWorldWithGate().call("ann", "POST", "/ns:work/phase", {"expected_version": 1})
    assert missing["error"]["details"]["missing_requirements"] == ["Deliverable: plan-document"]


def RestWorldWithGate() -> RestWorld:
    world = RestWorld()
    world.contract()
    return world


async def test_who_may_confirm_passes_the_guard() -> None:
    world = RestWorld()
    world.contract(phaseGuard=True, deliverables=[{"phase": "plan", "id": "plan-document"}])
    body = {"expected_version": world.status()["version"], "confirmed": True}
    answer = await world.good("connie", "POST", "/ns:work/phase", body)
    assert (answer["result"], answer["contract"]["phase"]) == ("success", "execute")


async def test_a_policys_refusal_of_what_was_fine_is_explained_by_the_contract_as_it_is_now() -> None:
    world = RestWorld()
    world.contract(phases=[{"name": "plan"}, {"name": "execute"}])
    original = world.server.patch_contract

    async def overtaken(*arguments: object) -> object:
        world.cluster.patch_status("work", {"version": 5})
        raise Denied("VERSION_CONFLICT: expected 1, actual 5, phase plan", code="VERSION_CONFLICT", status=422)

    world.server.patch_contract = overtaken  # type: ignore[method-assign,assignment]
    status, answer = await world.call("ann", "POST", "/ns:work/phase", MOVE)
    assert (status, answer["error"]["details"]["actual"]) == (409, 5)
    world.server.patch_contract = original  # type: ignore[method-assign]


async def test_without_the_operator_a_wish_is_recorded_and_answered_with_202() -> None:
    world = RestWorld()
    world.contract(phases=[{"name": "plan"}, {"name": "execute"}])
    world.server.operator = False
    status, answer = await world.call("ann", "POST", "/ns:work/phase?wait=0.1", MOVE)
    assert (status, answer["result"], answer["contract"]["phase"]) == (202, "pending", "plan")
    assert world.spec()["advance"]["expectedVersion"] == 1


async def test_an_outcome_of_an_earlier_request_is_not_taken_for_this_ones() -> None:
    world = RestWorld()
    world.contract()
    world.cluster.patch_status(
        "work",
        {
            "advance": {"to": "execute", "expectedVersion": 1, "outcome": "ValidationFailed", "message": "x"},
            "observedGeneration": 1,
        },
    )
    world.server.operator = False
    status, answer = await world.call("ann", "POST", "/ns:work/phase?wait=0.1", {**MOVE, "force": True})
    assert (status, answer["result"]) == (202, "pending")


# Status


async def test_pause_go_on_and_archive() -> None:
    world = RestWorld()
    world.contract()
    paused = await world.good("ann", "POST", "/ns:work/status", {"status": "paused", "reason": "review"})
    assert (paused["result"], paused["contract"]["state"], paused["contract"]["status"]) == (
        "success",
        "paused",
        "active",
    )
    assert world.spec()["suspendReason"] == "review"
    assert (await world.good("ann", "POST", "/ns:work/status", {"status": "paused"}))["changed"] is False
    back = await world.good("ann", "POST", "/ns:work/status", {"status": "active"})
    assert back["contract"]["state"] == "created" and "suspendReason" not in world.spec()
    gone = await world.good("ann", "POST", "/ns:work/status", {"status": "archived"})
    assert (gone["contract"]["status"], gone["contract"]["state"]) == ("archived", "archived")


async def test_a_failed_contract_is_taken_up_again() -> None:
    world = RestWorld()
    world.contract()
    world.cluster.patch_status("work", {"state": "Failed", "failureReason": "x", "finishedTime": START.isoformat()})
    answer = await world.good("ann", "POST", "/ns:work/status", {"status": "active", "expected_version": 1})
    assert answer["contract"]["state"] == "active"


ILLEGAL = [("Active", "archived"), ("Completed", "active"), ("Completed", "paused"), ("Created", "active")]
ILLEGAL += [("Archived", "paused"), ("Active", "completed"), ("Active", "failed"), ("Paused", "created")]


@pytest.mark.parametrize(("state", "wanted"), ILLEGAL)
async def test_a_status_that_does_not_follow_is_refused_with_what_does(state: str, wanted: str) -> None:
    world = RestWorld()
    world.contract()
    world.cluster.patch_status("work", {"state": state})
    status, answer = await world.call("ann", "POST", "/ns:work/status", {"status": wanted})
    assert (status, answer["error"]["code"]) == (400, "INVALID_TRANSITION")
    assert answer["error"]["details"]["current"] == state.lower()
    assert wanted not in answer["error"]["details"]["allowed"]
    assert not world.server.wrote


async def test_a_status_for_another_version_is_refused() -> None:
    world = RestWorld()
    world.contract()
    body = {"status": "paused", "expected_version": 7}
    assert await world.refused("ann", "POST", "/ns:work/status", body) == (409, "VERSION_CONFLICT")


# Deliverables, questions, completion


@pytest.mark.parametrize("name", ["id", "deliverable_id"])
async def test_a_deliverable_once(name: str) -> None:
    world = RestWorld()
    world.contract(deliverables=[])
    body = {name: "plan-document", "digest": f"sha256:{'a' * 64}"}
    answer = await world.good("ann", "POST", "/ns:work/deliverables", body)
    assert (answer["result"], answer["changed"], answer["deliverable"]["completed"]) == ("success", True, True)
    again = await world.good("ann", "POST", "/ns:work/deliverables", {**body, "phase": "plan"})
    assert (again["changed"], len(world.spec()["deliverables"])) == (False, 1)


async def test_a_deliverable_that_there_is_not() -> None:
    world = RestWorld()
    world.contract(deliverables=[])
    for body in ({"id": "nonsense"}, {"id": "pull-request"}, {"id": "plan-document", "phase": "execute"}):
        status, answer = await world.call("ann", "POST", "/ns:work/deliverables", body)
        assert (status, answer["error"]["code"]) == (400, "INVALID_DELIVERABLE")
        assert {"phase": "plan", "id": "plan-document"} in answer["error"]["details"]["valid"]
    assert not world.server.wrote


def asked(world: RestWorld, number: int) -> UUID:
    question = {
        "id": str(UUID(int=number)),
        "question": "why?",
        "type": "free-text",
        "phase": "plan",
        "askedTime": START.isoformat(),
    }
    world.cluster.patch_status("work", {"questions": [*world.status().get("questions", []), question]})
    return UUID(int=number)


async def test_an_answer_once_and_the_first_one_stays() -> None:
    world = RestWorld()
    world.contract(answers=[])
    question = asked(world, 1)
    path = f"/ns:work/questions/{question}/answer"
    answer = await world.good("ann", "POST", path, {"answer": "because"})
    assert (answer["result"], answer["changed"]) == ("success", True)
    assert (await world.good("ann", "POST", path, {"answer": "because"}))["changed"] is False
    assert await world.refused("ann", "POST", path, {"answer": "why not"}) == (409, "CONFLICT")
    other = f"/ns:work/questions/{uuid4()}/answer"
    assert await world.refused("ann", "POST", other, {"answer": "x"}) == (404, "NOT_FOUND")


async def test_answers_to_closed_questions_make_room() -> None:
    world = RestWorld()
    world.contract(answers=[{"questionId": str(UUID(int=n)), "answer": "x"} for n in range(100, 116)])
    question = asked(world, 1)
    await world.good("ann", "POST", f"/ns:work/questions/{question}/answer", {"answer": "because"})
    assert [one["questionId"] for one in world.spec()["answers"]] == [str(question)]


async def test_auto_complete_is_switched() -> None:
    world = RestWorld()
    world.contract()
    answer = await world.good("ann", "PUT", "/ns:work/auto-complete", {"enabled": False})
    assert answer["auto_complete_enabled"] is answer["auto_complete"] is False
    assert world.spec()["autoComplete"] is False


async def test_a_contract_is_made_and_deleted() -> None:
    world = RestWorld()
    made = await world.good(
        "ann", "POST", "", {"namespace": "ns", "name": "new", "spec": {"type": "execute"}, "labels": {"a": "b"}}
    )
    assert (made["name"], made["accepted"], made["phase"]) == ("new", True, "execute")
    assert await world.refused("ann", "POST", "", {"namespace": "ns", "name": "new"}) == (409, "CONFLICT")
    path = f"/{made['uid']}"
    assert await world.refused("ann", "DELETE", f"{path}?expected_version=4") == (409, "VERSION_CONFLICT")
    gone = await world.good("ann", "DELETE", f"{path}?expected_version=1")
    assert gone["deleted"] and gone["contract"]["name"] == "new"
    assert not world.cluster.objects


async def test_an_unaccepted_new_contract_is_there_all_the_same() -> None:
    world = RestWorld()
    world.server.operator = False
    status, made = await world.call("ann", "POST", "?wait=0.1", {"namespace": "ns", "generate_name": "x-"})
    assert (status, made["accepted"]) == (201, False)


# Who may


WRITES = [
    ("POST", "", {"namespace": "ns", "name": "new"}),
    ("DELETE", "/ns:work", None),
    ("POST", "/ns:work/phase", {"expected_version": 1, "force": True}),
    ("POST", "/ns:work/status", {"status": "paused"}),
    ("POST", "/ns:work/deliverables", {"id": "plan-document"}),
    ("PUT", "/ns:work/auto-complete", {"enabled": False}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_readers_and_strangers_change_nothing(method: str, path: str, body: object) -> None:
    world = RestWorld()
    world.contract()
    before = dict(world.cluster.objects)
    for who in ("ray", "bob"):
        assert await world.refused(who, method, path, body) == (403, "FORBIDDEN")
    assert await world.refused(None, method, path, body) == (401, "UNAUTHENTICATED")
    assert world.cluster.objects == before


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_token_that_can_not_be_forwarded_gets_the_command_that_works(
    method: str, path: str, body: object
) -> None:
    world = RestWorld()
    world.contract()
    world.server.not_forwardable.add("ann")
    status, answer = await world.call("ann", method, path, body)
    assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")
    assert "kubectl" in answer["error"]["hint"] and "ann" not in answer["error"]["hint"].split()


async def test_uids_of_elsewhere_are_not_told_apart_from_none() -> None:
    world = RestWorld()
    uid = world.contract()
    world.history.add(world.row())
    there = await world.call("bob", "GET", f"/{uid}")
    never = uuid4()
    missing = await world.call("bob", "GET", f"/{never}")
    assert (there[0], there[1]) == (missing[0], {"error": {**there[1]["error"]}})
    assert there[1]["error"]["message"].replace(str(uid), "") == missing[1]["error"]["message"].replace(str(never), "")


async def test_an_api_server_that_is_away_is_503_and_says_when_to_come_back() -> None:
    world = RestWorld()
    world.contract()
    world.server.refuse = ClusterUnavailable("away")
    assert await world.refused("ann", "POST", "/ns:work/status", {"status": "paused"}) == (503, "UNAVAILABLE")


# Flags


FLAGS = {
    "enhanced_status": [("POST", "/ns:work/status", {"status": "paused"})],
    "auto_complete": [
        ("GET", "/ns:work/phase-readiness", None),
        ("POST", "/ns:work/check-completion", None),
        ("PUT", "/ns:work/auto-complete", {"enabled": True}),
    ],
    "supervisor_heartbeat": [],
}


@pytest.mark.parametrize("flag", FLAGS)
async def test_a_flag_switches_its_routes(flag: str) -> None:
    on, off = RestWorld(), RestWorld(Settings(**{flag: False}))
    for world in (on, off):
        world.contract()
    for method, path, body in FLAGS[flag]:
        await on.good("ann", method, path, body)
        assert await off.refused("ann", method, path, body) == (404, "NOT_FOUND")
    await off.good("ann", "GET", "/ns:work")


# Bad input


BAD = [
    ("POST", "", {}),
    ("POST", "", {"namespace": "ns"}),
    ("POST", "", {"namespace": "ns", "name": "A B"}),
    ("POST", "", {"namespace": "ns", "name": "x", "generate_name": "y"}),
    ("POST", "", {"namespace": "ns", "name": "x", "nmae": "y"}),
    ("POST", "", {"namespace": "ns", "name": "x", "spec": []}),
    ("POST", "?wait=nan", {"namespace": "ns", "name": "x"}),
    ("POST", "?wait=31", {"namespace": "ns", "name": "x"}),
    ("POST", "/ns:work/phase", {}),
    ("POST", "/ns:work/phase", []),
    ("POST", "/ns:work/phase", b"{"),
    ("POST", "/ns:work/phase", b"\xff"),
    ("POST", "/ns:work/phase", {"expected_version": "1"}),
    ("POST", "/ns:work/phase", {"expected_version": 1.5}),
    ("POST", "/ns:work/phase", {"expected_version": 0}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "confirmed": "yes"}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "confirmd": True}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "phase": "../x"}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "reason": "x" * 1025}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "reason": "a\0b"}),
    ("POST", "/ns:work/phase", b'{"expected_version": 1, "reason": "\\ud800"}'),
    ("POST", "/ns:work/status", {"status": "dancing"}),
    ("POST", "/ns:work/status", {"state": "paused"}),
    ("POST", "/ns:work/deliverables", {}),
    ("POST", "/ns:work/deliverables", {"id": "a", "deliverable_id": "a"}),
    ("POST", "/ns:work/deliverables", {"id": "plan-document", "digest": "sha256:zz"}),
    ("POST", "/ns:work/deliverables", {"id": "plan-document", "uri": "a b"}),
    ("POST", "/ns:work/questions/nonsense/answer", {"answer": "x"}),
    ("POST", "/ns:work/questions/7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11/answer", {"answer": ""}),
    ("POST", "/ns:work/questions/7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11/answer", {"answer": "x" * 2049}),
    ("PUT", "/ns:work/auto-complete", {"enabled": "yes"}),
    ("PUT", "/ns:work/auto-complete", {"enabled": None}),
    ("GET", "/nonsense", None),
    ("GET", "/ns:work?verbose=1", None),
    ("GET", "/ns:work/events?limit=0", None),
    ("GET", "/ns:work/events?limit=501", None),
    ("GET", "/ns:work/events?after=-1", None),
    ("GET", "/ns:work/events?aftr=1", None),
    ("GET", "/ns:work/tasks?cursor=nonsense", None),
    ("GET", "/ns:work/questions?open=perhaps", None),
    ("DELETE", "/ns:work?expected_version=x", None),
]


@pytest.mark.parametrize(("method", "path", "body"), BAD, ids=range(len(BAD)))
async def test_bad_input_is_refused_with_a_hint_and_without_effect(method: str, path: str, body: object) -> None:
    world = RestWorld()
    world.contract(answers=[], deliverables=[])
    before = dict(world.cluster.objects)
    status, answer = await world.call("ann", method, path, body)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_FAILED"), answer
    assert answer["error"]["hint"]
    assert world.cluster.objects == before and not world.server.wrote


async def test_a_huge_body_is_refused_before_it_is_read_whole() -> None:
    world = RestWorld()
    world.contract()
    body = b'{"expected_version": 1, "reason": "' + b"x" * 10_000_000 + b'"}'
    assert await world.refused("ann", "POST", "/ns:work/phase", body) == (413, "TOO_LARGE")


@pytest.mark.parametrize("name", ["dashboard", "monitor", "batch"])
async def test_names_of_features_are_no_ids(name: str) -> None:
    world = RestWorld()
    assert await world.refused("ann", "GET", f"/{name}/events") == (404, "NOT_FOUND")


# Export


async def test_an_export_has_everything_but_secrets() -> None:
    world = RestWorld()
    container = {
        "name": "agent",
        "image": "x",
        "env": [{"name": "KEY", "value": "s3cret"}, {"name": "REF", "secretKeyRef": {"name": "s", "key": "k"}}],
    }
    uid = world.contract(
        supervisor={"template": {"containers": [container]}},
        taskTemplates=[{"name": "t", "template": {"containers": [container]}}],
    )
    body = world.cluster.objects["ns", "work"]
    body["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    body["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "s3cret", "note": "kept"}
    for number in range(1234):
        world.history.happened(HistoryEvent(uuid4(), uid, "ns", "work", number, "StatusChanged", START, "ann"))
    world.history.tasks.append(StoredTask(UUID(int=1), uid, "plan", "t", TaskState.RUNNING, START))
    found = await world.good("ray", "GET", "/ns:work/export")
    assert "s3cret" not in str(found)
    assert found["resource"]["metadata"]["annotations"] == {"note": "kept"}
    assert [event["version"] for event in found["history"]] == list(range(1234))
    assert len(found["tasks"]) == 1 and found["truncated"] == [] and found["messages"] is None
    world.gone()
    after = await world.good("ray", "GET", f"/{uid}/export")
    assert after["resource"] is None and len(after["history"]) == 1234


async def test_an_export_ends_and_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makima.services.reads.contract_export.MOST", 500)
    world = RestWorld()
    uid = world.contract()
    for number in range(600):
        world.history.happened(HistoryEvent(uuid4(), uid, "ns", "work", number, "StatusChanged", START, "ann"))
    found = await world.good("ray", "GET", "/ns:work/export")
    assert (len(found["history"]), found["truncated"]) == (500, ["history"])


async def test_a_conversation_is_not_exported_where_there_are_no_supervisors() -> None:
    world = RestWorld()
    world.contract()
    assert await world.refused("ray", "GET", "/ns:work/export?messages=true") == (400, "VALIDATION_FAILED")
