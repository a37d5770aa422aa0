"""Lives begin, report and are replaced: with real tokens, a real API server and a real Postgres."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from makima.models.wire.memory import SavedState, checksum
from tests.support.api_process import ApiUnderTest, CallerOf, StartApi
from tests.support.carried_world import TEMPLATE, CarriedWorld, address, beat

REGISTER = "/api/v1/supervisors/register"


async def test_an_external_supervisor_registers_reports_and_is_seen(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    contract_id = await world.contract("work", supervisor={"heartbeatPeriodSeconds": 7})
    caller = world.caller(api, agent)
    life = await caller.good("POST", REGISTER, world.registration("work"))
    assert (life["contract_id"], life["incarnation"], life["phase"]) == (str(contract_id), 1, "plan")
    assert life["restoration"]["outcome"] == "fresh"
    assert life["heartbeat_interval_seconds"] == 7
    stored = await caller.good("POST", address(life), beat(life, progress=40))
    assert (stored["result"], stored["sequence"]) == ("stored", 1)
    assert (await caller.good("POST", address(life), beat(life)))["result"] == "duplicate"
    report = await caller.good("GET", address(life, "status"))
    assert (report["state"], report["progress"], report["current_activity"]) == ("working", 40, "reading")
    listed = await caller.good("GET", address(life, "heartbeats?limit=5"))
    assert [item["sequence"] for item in listed["heartbeats"]] == [1]
    assert (await world.status("work"))["supervisorRef"]["incarnation"] == 1


async def test_a_supervisor_that_says_nothing_of_heartbeats_is_told_the_settings(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    await world.contract("work", supervisor={})
    own = {"contracts__heartbeat_interval_seconds": 7, "contracts__heartbeat_timeout_seconds": 21}
    life = await world.caller(start_api(**own), agent).good("POST", REGISTER, world.registration("work"))
    assert (life["heartbeat_interval_seconds"], life["heartbeat_timeout_seconds"]) == (7, 21)


async def test_registering_again_gives_the_same_life_and_another_needs_to_take_over(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    await world.contract("work", supervisor={})
    caller = world.caller(api, agent)
    call = world.registration("work")
    first = await caller.good("POST", REGISTER, call)
    assert (await caller.good("POST", REGISTER, call))["incarnation"] == 1
    assert await caller.refused("POST", REGISTER, world.registration("work")) == (409, "CONFLICT")
    second = await caller.good("POST", REGISTER, world.registration("work", take_over=True))
    assert second["incarnation"] == 2
    assert await caller.refused("POST", address(first), beat(first, 2)) == (409, "SUPERSEDED")
    assert (await world.status("work"))["supervisorRef"]["incarnation"] == 2


async def test_no_pod_ends_the_life_of_a_supervisor_outside(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    await world.contract("work", supervisor={})
    caller, intruder = world.caller(api, agent), world.caller(api, (await world.pod()).token)
    first = await caller.good("POST", REGISTER, world.registration("work"))
    for call in (world.registration("work", take_over=True), world.registration("work", take_over=True, incarnation=2)):
        assert await intruder.refused("POST", REGISTER, call) == (403, "FORBIDDEN")
    assert (await caller.good("POST", address(first), beat(first)))["result"] == "stored"


async def test_a_life_that_said_it_ends_needs_no_taking_over(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    await world.contract("work", supervisor={})
    caller = world.caller(api, agent)
    first = await caller.good("POST", REGISTER, world.registration("work"))
    await caller.good("POST", address(first), beat(first, state="interrupted"))
    async with asyncio.timeout(10):
        while (await caller.call("POST", REGISTER, world.registration("work")))[0] != 200:
            await asyncio.sleep(0.05)


async def test_a_pod_carries_only_the_life_that_it_was_made_for(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    contract_id = await world.contract("work", supervisor={"template": TEMPLATE})
    mine, other = await world.pod(), await world.pod()
    caller = world.caller(api, mine.token)
    call = world.registration("work", incarnation=1)
    assert await caller.refused("POST", REGISTER, call) == (503, "UNAVAILABLE")  # not named yet
    await world.life("work", contract_id, mine)
    assert await caller.refused("POST", REGISTER, {**call, "incarnation": 2}) == (403, "FORBIDDEN")
    assert await caller.refused("POST", REGISTER, world.registration("work")) == (400, "VALIDATION_FAILED")
    life = await caller.good("POST", REGISTER, call)
    assert (await caller.good("POST", address(life), beat(life)))["result"] == "stored"
    for stranger in (other.token, agent):
        someone = world.caller(api, stranger)
        assert await someone.refused("POST", REGISTER, call) == (403, "FORBIDDEN")
        assert await someone.refused("POST", address(life), beat(life, 2)) == (403, "FORBIDDEN")
    assert [item.sequence for item in await world.store.heartbeats.recent(contract_id, 10)] == [1]


async def test_an_old_pod_writes_nothing_once_the_next_life_began(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    contract_id = await world.contract("work", supervisor={"template": TEMPLATE})
    old, new = await world.pod(), await world.pod()
    await world.life("work", contract_id, old)
    before = world.caller(api, old.token)
    life = await before.good("POST", REGISTER, world.registration("work", incarnation=1))
    await before.good("POST", address(life), beat(life))
    await world.life("work", contract_id, new, after=1)
    for method, rest, body in _writes(life):
        status, code = await before.refused(method, address(life, rest), body)
        assert (status, code) == (409, "SUPERSEDED"), rest
    for method, rest, body in _writes({**life, "incarnation": 2}):
        assert await before.refused(method, address(life, rest), body) == (403, "FORBIDDEN"), rest
    assert len(await world.store.heartbeats.recent(contract_id, 10)) == 1
    remembered = await world.store.memory.remembered(contract_id, 10)
    assert (remembered.state, remembered.messages, remembered.tasks) == (None, (), ())
    assert not (await world.status("work")).get("deliverables")


def _writes(life: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every writing call there is."""
    fence = {"incarnation": life["incarnation"]}
    payload = _state()
    return [
        ("POST", "heartbeat", beat(life, 9)),
        ("PUT", "state", {**fence, **_saved(life, 1, payload)}),
        ("POST", "messages", {**fence, **_message(1, "late")}),
        ("POST", "checkpoints", {**fence, "number": 1, "message_sequence": 0, **_payload(payload)}),
        ("POST", "tasks", {**fence, "id": str(uuid4()), "name": "late"}),
        ("POST", "questions", {**fence, "id": str(uuid4()), "text": "late?"}),
        ("POST", "deliverables", {**fence, "phase": "plan", "id": "plan-document"}),
        ("POST", "advance", {**fence, "to": "execute", "expected_version": 1}),
        ("POST", "commands/acknowledge", {**fence, "command_ids": [str(uuid4())]}),
    ]


def _state(**fields: Any) -> str:
    base = {"state": "working", "phase": "plan", "saved_at": "2026-01-01T00:00:00Z"}
    return SavedState.model_validate({**base, **fields}).model_dump_json()


def _payload(payload: str) -> dict[str, Any]:
    return {"payload": payload, "checksum": checksum(payload)}


def _saved(life: dict[str, Any], revision: int, payload: str) -> dict[str, Any]:
    return {"task_id": life["task_id"], "revision": revision, **_payload(payload)}


def _message(first: int, *contents: str) -> dict[str, Any]:
    messages = [{"id": str(uuid4()), "role": "assistant", "content": content} for content in contents]
    return {"first_sequence": first, "messages": messages}


async def test_a_deleted_pods_token_is_worth_nothing_soon(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    pod = await world.pod()
    await world.delete_pod(pod)
    caller = world.caller(api, pod.token)
    assert await caller.refused("POST", REGISTER, world.registration("x")) == (401, "UNAUTHENTICATED")


async def test_what_was_saved_comes_back_with_the_next_life(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    await world.contract("work", supervisor={})
    caller = world.caller(api, agent)
    life = await caller.good("POST", REGISTER, world.registration("work"))
    fence = {"incarnation": 1}
    talk = {**fence, **_message(1, "hello", "world")}
    assert (await caller.good("POST", address(life, "messages"), talk))["last"] == 2
    assert (await caller.good("POST", address(life, "messages"), talk))["duplicate"] is True
    gap = {**fence, **_message(9, "gap")}
    status, answer = await caller.call("POST", address(life, "messages"), gap)
    assert (status, answer["error"]["code"], answer["error"]["details"]["last"]) == (409, "CONFLICT", 2)
    state = {**fence, **_saved(life, 1, _state(message_sequence=2))}
    assert (await caller.good("PUT", address(life, "state"), state))["last"] == 1
    wrong = {**state, "revision": 2, "checksum": "0" * 64}
    assert await caller.refused("PUT", address(life, "state"), wrong) == (400, "VALIDATION_FAILED")
    second = await caller.good("POST", REGISTER, world.registration("work", take_over=True))
    restoration = second["restoration"]
    assert (restoration["outcome"], restoration["revision"], restoration["message_sequence"]) == ("resumed", 1, 2)
    assert [item["content"] for item in restoration["messages"]] == ["hello", "world"]
    page = await caller.good("GET", address(second, "messages?after=1&limit=10"))
    assert [item["sequence"] for item in page["messages"]] == [2]
    again = await caller.good("GET", address(second, "restoration"))
    assert again["outcome"] == "resumed"


async def _begun(world: CarriedWorld, api: ApiUnderTest, agent: str, **spec: Any) -> tuple[CallerOf, dict[str, Any]]:
    await world.contract("work", supervisor={}, **spec)
    caller = world.caller(api, agent)
    return caller, await caller.good("POST", REGISTER, world.registration("work"))


async def test_tasks_are_in_postgres_and_in_the_contract_once_however_often_told(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    caller, life = await _begun(world, api, agent)
    task = str(uuid4())
    spawn = {"incarnation": 1, "id": task, "name": "build"}
    assert (await caller.good("POST", address(life, "tasks"), spawn))["duplicate"] is False
    assert (await caller.good("POST", address(life, "tasks"), spawn))["duplicate"] is True
    assert [(t["id"], t["state"]) for t in (await world.status("work"))["tasks"]] == [(task, "Running")]
    end = f"tasks/{task}/complete"
    assert (await caller.good("POST", address(life, end), {"incarnation": 1}))["duplicate"] is False
    assert (await caller.good("POST", address(life, end), {"incarnation": 1}))["duplicate"] is True
    assert [t["state"] for t in (await world.status("work"))["tasks"]] == ["Completed"]
    unknown = f"tasks/{uuid4()}/complete"
    assert await caller.refused("POST", address(life, unknown), {"incarnation": 1}) == (404, "NOT_FOUND")
    template = {**spawn, "id": str(uuid4()), "template": "nowhere"}
    assert await caller.refused("POST", address(life, "tasks"), template) == (400, "VALIDATION_FAILED")


async def test_a_task_that_was_stored_but_never_told_is_told_by_its_end(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    from datetime import UTC, datetime
    from uuid import UUID

    from makima.models.enums import TaskState
    from makima.models.supervision import StoredTask

    caller, life = await _begun(world, api, agent)
    task = uuid4()
    stored = StoredTask(task, UUID(life["contract_id"]), "plan", "lost", TaskState.RUNNING, datetime.now(UTC))
    await world.store.work.spawn_task(stored)
    await caller.good("POST", address(life, f"tasks/{task}/fail"), {"incarnation": 1, "message": "no"})
    assert [(t["name"], t["state"]) for t in (await world.status("work"))["tasks"]] == [("lost", "Failed")]


async def test_a_question_is_asked_once_and_the_contract_waits(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    caller, life = await _begun(world, api, agent)
    question = {"incarnation": 1, "id": str(uuid4()), "text": "which way?", "options": ["left", "right"]}
    assert (await caller.good("POST", address(life, "questions"), question))["duplicate"] is False
    assert (await caller.good("POST", address(life, "questions"), question))["duplicate"] is True
    asked = (await world.status("work"))["questions"]
    assert [(q["question"], q["options"]) for q in asked] == [("which way?", ["left", "right"])]


async def test_deliverables_and_moves_go_into_the_contract(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    phases = [
        {"name": "plan", "deliverables": [{"id": "plan-document"}], "gate": {"autoAdvance": False}},
        {"name": "execute", "deliverables": [{"id": "pull-request"}], "gate": {"autoAdvance": False}},
    ]
    caller, life = await _begun(world, api, agent, phases=phases)
    fence = {"incarnation": 1}
    version = (await world.status("work"))["version"]
    early = {**fence, "to": "execute", "expected_version": version}
    told = await caller.good("POST", address(life, "advance"), early)
    assert (told["outcome"], told["missing"]) == ("validation_failed", ["Deliverable: plan-document"])
    wrong = {**fence, "phase": "plan", "id": "nothing"}
    assert await caller.refused("POST", address(life, "deliverables"), wrong) == (400, "INVALID_DELIVERABLE")
    done = {**fence, "phase": "plan", "id": "plan-document", "uri": "https://example.test/plan"}
    accepted = await caller.good("POST", address(life, "deliverables"), done)
    assert (await caller.good("POST", address(life, "deliverables"), done))["duplicate"] is True
    old = {**fence, "to": "execute", "expected_version": version}
    assert (await caller.good("POST", address(life, "advance"), old))["outcome"] == "version_conflict"
    move = {**fence, "to": "execute", "expected_version": accepted["contract_version"]}
    moved = await caller.good("POST", address(life, "advance"), move)
    assert (moved["outcome"], moved["phase"]) == ("success", "execute")
    assert (await caller.good("POST", address(life, "advance"), move))["outcome"] == "success"
    status = await world.status("work")
    assert (status["phase"], status["version"]) == ("execute", moved["version"])


async def test_a_guarded_move_waits_for_a_person(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    caller, life = await _begun(world, api, agent, phaseGuard=True)
    version = (await world.status("work"))["version"]
    call = {"incarnation": 1, "to": "execute", "expected_version": version}
    told = await caller.good("POST", address(life, "advance"), call)
    assert told["outcome"] == "requires_confirmation"
    assert told["deliverables"] == ["plan-document (open)"]
    assert (await world.status("work"))["phase"] == "plan"


async def test_many_reports_at_once_lose_no_write(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    caller, life = await _begun(world, api, agent)
    calls = [{"incarnation": 1, "id": str(uuid4()), "name": f"task-{n}"} for n in range(12)]
    answers = await asyncio.gather(*(_again(caller, address(life, "tasks"), call) for call in calls))
    assert all(answer["contract_version"] >= 1 for answer in answers)
    assert len((await world.status("work"))["tasks"]) == 12


async def _again(caller: CallerOf, path: str, body: dict[str, Any]) -> Any:
    """A client that comes back when it is told to."""
    async with asyncio.timeout(60):
        while True:
            status, answer = await caller.call("POST", path, body)
            if status == 200:
                return answer
            assert (status, answer["error"]["code"]) == (503, "UNAVAILABLE"), answer
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("missing", ["contract", "supervisor"])
async def test_what_is_not_there_is_named(world: CarriedWorld, api: ApiUnderTest, agent: str, missing: str) -> None:
    if missing == "supervisor":
        await world.contract("work")
    caller = world.caller(api, agent)
    answer = await caller.refused("POST", REGISTER, world.registration("work"))
    assert answer == (404, f"{missing.upper()}_NOT_FOUND")


async def test_strangers_are_not_told_what_there_is(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    await world.contract("work", supervisor={})
    life = await world.caller(api, agent).good("POST", REGISTER, world.registration("work"))
    stranger = world.caller(api, await world.account("stranger"))
    for name in ("work", "nothing"):
        assert await stranger.refused("POST", REGISTER, world.registration(name)) == (403, "FORBIDDEN")
    said = {
        rest: await stranger.refused(method, address(life, rest))
        for method, rest in (("GET", "status"), ("GET", "heartbeats"), ("POST", "sync"), ("GET", "messages"))
    }
    assert set(said.values()) == {(404, "SUPERVISOR_NOT_FOUND")}, said  # as for an id that never was (ADR 0010)
    viewer = world.caller(api, await world.account("viewer", "makima-view"))
    assert (await viewer.good("GET", address(life, "status")))["state"] == "initializing"
    assert await viewer.refused("POST", address(life, "sync")) == (403, "FORBIDDEN")


async def test_sync_makes_a_living_supervisor_report(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    caller, life = await _begun(world, api, agent)
    await caller.good("POST", address(life), beat(life))
    asked = asyncio.create_task(caller.good("POST", address(life, "sync?wait=20")))
    found = await caller.good("GET", address(life, "commands?wait=20"))
    assert [command["kind"] for command in found["commands"]] == ["sync"]
    ids = [command["id"] for command in found["commands"]]
    await caller.good("POST", address(life), beat(life, 2, state="idle", acknowledged=ids))
    assert await asked == {"synced": True, "state": "idle"}
    assert (await caller.good("GET", address(life, "commands")))["commands"] == []


async def test_sync_of_a_dead_supervisor_says_so(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    contract_id = await world.contract("work", supervisor={"template": TEMPLATE})
    await world.life("work", contract_id, None)
    editor = world.caller(api, await world.account("editor", "makima-edit"))
    path = f"/api/v1/contracts/{contract_id}/supervisor/sync"
    assert await editor.refused("POST", path) == (503, "SUPERVISOR_DEAD")
