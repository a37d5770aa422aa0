"""The live monitor on real processes: what is said, to whom, and to whom not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg
import pytest

from makima.adapters.postgres.history import PostgresHistory
from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.history import contract_row, stale_event, unrecorded_events
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.history import HistoryBatch
from tests.support.api_process import ApiUnderTest, CallerOf, StartApi
from tests.support.carried_world import CarriedWorld, address, beat
from tests.support.kube import RBAC
from tests.support.monitor_client import MONITOR, events, happens, next_frame, server_sent, subscribed, watching

REGISTER = "/api/v1/supervisors/register"
TASK, QUESTION = str(uuid4()), str(uuid4())

EXPECTED: dict[str, dict[str, Any]] = {
    "StatusChanged": {"old_status": "created", "new_status": "active"},
    "PhaseChanged": {"old_phase": "plan", "new_phase": "execute"},
    "SupervisorStateChanged": {"old_state": "initializing", "new_state": "working"},
    "Heartbeat": {"state": "working", "activity": "reading", "progress": 0},
    "StaleDetected": {},
    "TaskCompleted": {"task_id": TASK, "task_name": "read", "success": True},
    "DeliverableCompleted": {"phase": "plan", "deliverable_id": "plan-document"},
    "QuestionAsked": {"question_id": QUESTION, "question": "Which?", "question_type": "choice"},
}
"""The plan's eight events, with those of the plan's fields that are known before."""


@pytest.fixture
async def told(module_database: str) -> AsyncIterator[PostgresHistory]:
    """The history that the module's API processes read."""
    store = PostgresHistory(module_database)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def viewer(world: CarriedWorld, told: PostgresHistory) -> str:
    """The token of somebody who may look at this namespace only, which has a contract."""
    await happens(told, world.namespace)
    return await world.account("viewer", "makima-view")


async def _recorded(world: CarriedWorld, history: PostgresHistory, name: str, *, known_only: bool = False) -> None:
    """What the operator's recorder does with a contract; `known_only`: the projection alone."""
    found = Contract.from_object(await world.get(name))
    assert found.status is not None
    happened = () if known_only else unrecorded_events(found, found.status, 0)
    await history.record(HistoryBatch((contract_row(found, found.status),), happened))


async def _stale(world: CarriedWorld, history: PostgresHistory, name: str) -> None:
    """The same contract, looked at an hour later."""
    found = Contract.from_object(await world.get(name))
    later = datetime.now(UTC) + timedelta(hours=1)
    status = decide(found, Surroundings(settings=Settings(), now=later)).status
    assert status is not None
    for _ in range(2):
        await history.record(HistoryBatch(events=(stale_event(found, status),)))


async def test_all_eight_events_come_with_the_plans_fields_over_both_ways_to_listen(
    world: CarriedWorld, api: ApiUnderTest, agent: str, told: PostgresHistory
) -> None:
    contract_id = await world.contract("work", supervisor={})
    await _recorded(world, told, "work", known_only=True)
    life = await world.caller(api, agent).good("POST", REGISTER, world.registration("work"))
    caller = world.caller(api, agent)
    headers = {"Authorization": f"Bearer {agent}", "Accept": "text/event-stream"}
    query = f"?contract_id={contract_id}&include_heartbeats=true"
    async with (
        watching(world.http, api, agent) as socket,
        world.http.get(f"{api.url}{MONITOR}{query}", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = server_sent(answer)
        assert (await anext(stream))[1]["type"] == "Subscribed"
        await subscribed(socket, contract_ids=[str(contract_id)], include_heartbeats=True)
        await _work(world, caller, life)
        await _recorded(world, told, "work")
        await _stale(world, told, "work")
        got: list[dict[str, Any]] = []
        while not EXPECTED.keys() <= {frame["type"] for frame in got}:
            got.append(await next_frame(socket))
        sent: list[dict[str, Any]] = []
        while not EXPECTED.keys() <= {frame["type"] for frame in sent}:
            place, frame = await anext(stream)
            assert place == (str(frame["seq"]) if "seq" in frame else None)
            sent.append(frame)
    by_type = {frame["type"]: frame for frame in reversed(got)}
    assert {one["contract_id"] for one in got} == {str(contract_id)}
    for kind, fields in EXPECTED.items():
        assert fields.items() <= by_type[kind].items(), by_type[kind]
    assert by_type["SupervisorStateChanged"]["supervisor_task_id"] == life["task_id"]
    assert by_type["StaleDetected"]["stale_duration"] > 1800
    numbered = [one["seq"] for one in got if "seq" in one]
    assert numbered == sorted(set(numbered))
    common = min(numbered[-1], max(one["seq"] for one in sent if "seq" in one))
    assert [o for o in got if o.get("seq", common + 1) <= common] == [
        o for o in sent if o.get("seq", common + 1) <= common
    ]


async def _work(world: CarriedWorld, caller: CallerOf, life: dict[str, Any]) -> None:
    """What a supervisor does, so that everything happens that can happen."""
    fenced = {"incarnation": life["incarnation"]}
    await caller.good("POST", address(life), beat(life))
    await caller.good("POST", address(life, "tasks"), {**fenced, "id": TASK, "name": "read"})
    await caller.good("POST", address(life, f"tasks/{TASK}/complete"), {**fenced, "message": "done"})
    delivered = {**fenced, "phase": "plan", "id": "plan-document"}
    await caller.good("POST", address(life, "deliverables"), delivered)
    await world.drive("work")
    asked = {**fenced, "id": QUESTION, "text": "Which?", "options": ["a", "b"]}
    await caller.good("POST", address(life, "questions"), asked)


async def test_an_event_stream_that_broke_goes_on_after_its_last_event_at_another_replica(
    world: CarriedWorld, api: ApiUnderTest, start_api: StartApi, viewer: str, told: PostgresHistory
) -> None:
    other = await asyncio.to_thread(start_api)
    headers = {"Authorization": f"Bearer {viewer}", "Accept": "text/event-stream"}
    seqs = [await happens(told, world.namespace) for _ in range(3)]
    query = f"?namespace={world.namespace}&after={seqs[0] - 1}"  # a browser repeats it when it comes back

    async def come(replica: ApiUnderTest, until: int, **more: str) -> list[str | None]:
        """Ids of what comes, until the stream is broken off after this one."""
        places: list[str | None] = []
        async with world.http.get(f"{replica.url}{MONITOR}{query}", headers={**headers, **more}) as answer:
            async for place, frame in server_sent(answer):
                places += [place] if "seq" in frame and frame["type"] != "Subscribed" else []
                if place == str(until):
                    return places
        raise AssertionError("the stream ended by itself")

    first = await come(api, seqs[1])
    seqs += [await happens(told, world.namespace) for _ in range(3)]
    second = await come(other, seqs[-1], **{"Last-Event-ID": str(first[-1])})
    assert first + second == [str(seq) for seq in seqs]


async def test_a_heartbeat_reaches_the_clients_of_another_replica(
    world: CarriedWorld, api: ApiUnderTest, start_api: StartApi, agent: str, told: PostgresHistory
) -> None:
    other = await asyncio.to_thread(start_api)
    contract_id = await world.contract("beats", supervisor={})
    await _recorded(world, told, "beats")
    life = await world.caller(api, agent).good("POST", REGISTER, world.registration("beats"))
    async with watching(world.http, other, agent) as socket:
        await subscribed(socket, contract_ids=[str(contract_id)], include_heartbeats=True)
        await asyncio.sleep(1.5)  # the other replica's first look only finds out when that is
        await world.caller(api, agent).good("POST", address(life), beat(life, current_activity="elsewhere"))
        while (frame := await next_frame(socket))["type"] != "Heartbeat":
            pass
        assert frame["activity"] == "elsewhere"


async def test_filters_by_contract_and_by_status_hold_from_their_word_on(
    world: CarriedWorld, api: ApiUnderTest, viewer: str, told: PostgresHistory
) -> None:
    one, two, three = uuid4(), uuid4(), uuid4()
    async with watching(world.http, api, viewer) as socket:
        await subscribed(socket, contract_ids=[str(one), str(two)])
        await happens(told, world.namespace, three)
        first = await happens(told, world.namespace, two)
        assert (await next_frame(socket))["seq"] == first
        answer = await subscribed(socket, statuses=["waiting_for_input", "Paused"])
        assert answer["filter"]["statuses"] == ["waiting_for_input", "paused"]
        await happens(told, world.namespace, one, "active")
        waits = await happens(told, world.namespace, uuid4(), "waiting_for_input")
        paused = await happens(told, world.namespace, uuid4(), "paused")
        found = [await next_frame(socket) for _ in range(2)]
        assert [frame["seq"] for frame in found] == [waits, paused]
        assert found[0]["contract_status"] == "waiting_for_input"
        await subscribed(socket, after=first)  # what the filter of then left out can still be had
        assert [frame["seq"] for frame in await events(socket, paused)] == list(range(first + 1, paused + 1))


BAD_MESSAGES: list[tuple[str, str]] = [
    ("no JSON", "{"),
    ("no object", "[]"),
    ("an unknown name", '{"contract_id": "x"}'),
    ("an unknown state", '{"statuses": ["dreaming"]}'),
    ("too many ids", json.dumps({"contract_ids": [str(uuid4())] * 501})),
    ("a place that is none", '{"after": -1}'),
    ("a place that was not reached", '{"after": 9007199254740991}'),
]


async def test_bad_messages_are_answered_and_what_held_holds_on(
    world: CarriedWorld, api: ApiUnderTest, viewer: str, told: PostgresHistory
) -> None:
    one = uuid4()
    async with watching(world.http, api, viewer) as socket:
        await subscribed(socket, contract_ids=[str(one)])
        for name, message in BAD_MESSAGES:
            await socket.send_str(message)
            answer = await next_frame(socket)
            assert answer["error"]["code"] == "VALIDATION_FAILED", name
        await happens(told, world.namespace, uuid4())
        seq = await happens(told, world.namespace, one)
        assert (await next_frame(socket))["seq"] == seq
        for _ in range(16):
            await socket.send_str("{")
        while "error" in (answer := await next_frame(socket)) and "too many" not in answer["error"]["message"]:
            pass
        assert (await socket.receive(timeout=30)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1008


async def test_a_message_that_is_too_long_ends_the_stream(world: CarriedWorld, api: ApiUnderTest, viewer: str) -> None:
    async with watching(world.http, api, viewer) as socket:
        await subscribed(socket)
        await socket.send_str("x" * 70_000)
        assert (await next_frame(socket))["error"]["code"] == "TOO_LARGE"
        assert (await socket.receive(timeout=30)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1009


async def test_a_message_that_is_much_too_long_is_not_even_kept(
    world: CarriedWorld, api: ApiUnderTest, viewer: str
) -> None:
    async with watching(world.http, api, viewer) as socket:
        await subscribed(socket)
        with suppress(ConnectionError):  # the server may close before all of it is sent
            await socket.send_str("x" * 1_000_000)
        while (message := await socket.receive(timeout=30)).type is aiohttp.WSMsgType.TEXT:
            assert "TOO_LARGE" not in message.data
        assert socket.close_code in (1006, 1009)


REFUSED: list[tuple[str, str, dict[str, str], int, str]] = [
    ("no such parameter", "?contract=x", {}, 400, "VALIDATION_FAILED"),
    ("no UUID", "?contract_id=x", {}, 400, "VALIDATION_FAILED"),
    ("no switch", "?include_stale=maybe", {}, 400, "VALIDATION_FAILED"),
    ("no number", "?after=soon", {}, 400, "VALIDATION_FAILED"),
    ("no number of the last event", "", {"Last-Event-ID": "x"}, 400, "VALIDATION_FAILED"),
    ("a place that was not reached", "?after=9007199254740991", {}, 400, "VALIDATION_FAILED"),
    ("a page of somebody else", "", {"Origin": "https://evil.example"}, 403, "FORBIDDEN"),
    ("a page of nowhere", "", {"Origin": "null"}, 403, "FORBIDDEN"),
    ("a namespace of no right", "?namespace=kube-system", {}, 403, "FORBIDDEN"),
    ("no token", "", {"Authorization": ""}, 401, "UNAUTHENTICATED"),
    ("a token of nobody", "", {"Authorization": "Bearer x"}, 401, "UNAUTHENTICATED"),
]


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"), [row[1:] for row in REFUSED], ids=[r[0] for r in REFUSED]
)
async def test_what_is_refused_is_refused_both_ways(
    world: CarriedWorld, api: ApiUnderTest, viewer: str, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    every = {"Authorization": f"Bearer {viewer}", "Accept": "text/event-stream", **headers}
    async with world.http.get(f"{api.url}{MONITOR}{query}", headers=every) as answer:
        body = await answer.json()
        assert (answer.status, body["error"]["code"]) == (status, code), body
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with world.http.ws_connect(f"{api.url}{MONITOR}{query}", headers=every):
            pass
    assert refused.value.status == status


async def test_who_does_not_want_a_stream_is_told_how_to_get_one(
    world: CarriedWorld, api: ApiUnderTest, viewer: str
) -> None:
    every = {"Authorization": f"Bearer {viewer}", "Accept": "application/json"}
    async with world.http.get(f"{api.url}{MONITOR}", headers=every) as answer:
        assert (answer.status, "watch=true" in (await answer.json())["error"]["hint"]) == (400, True)
    async with world.http.get(f"{api.url}{MONITOR}?watch=true", headers=every) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")


async def test_pages_that_are_listed_and_the_apis_own_may_listen(
    world: CarriedWorld, start_api: StartApi, viewer: str
) -> None:
    api = await asyncio.to_thread(start_api, api__allowed_origins='["https://board.example"]')
    for origin in ("https://board.example", api.url):
        async with watching(world.http, api, viewer, "?after=0", Origin=origin) as socket:
            assert (await next_frame(socket))["type"] == "Subscribed"


async def test_two_people_see_what_each_may_see_and_who_loses_the_right_is_closed(
    world: CarriedWorld, api: ApiUnderTest, viewer: str, told: PostgresHistory
) -> None:
    elsewhere = f"{world.namespace}-b"
    await world.admin.request("POST", "/api/v1/namespaces", body={"metadata": {"name": elsewhere}})
    other = CarriedWorld(world.admin, elsewhere, world.store, world.http)
    stranger = await other.account("stranger", "makima-view")
    here = await happens(told, world.namespace)
    there = await happens(told, elsewhere)
    async with (
        watching(world.http, api, viewer, f"?after={here - 1}") as mine,
        watching(world.http, api, stranger, f"?after={here - 1}") as theirs,
    ):
        for socket, seq in ((mine, here), (theirs, there)):
            assert (await next_frame(socket))["type"] == "Subscribed"
            assert (await next_frame(socket))["seq"] == seq
        binding = f"{RBAC}/namespaces/{elsewhere}/rolebindings/stranger-makima-view"
        await world.admin.request("DELETE", binding)
        last = await next_frame(theirs, 150)
        assert last["error"]["code"] == "FORBIDDEN"
        assert (await theirs.receive(timeout=30)).type is aiohttp.WSMsgType.CLOSE
        assert theirs.close_code == 1008
        seq = await happens(told, world.namespace)
        assert (await next_frame(mine))["seq"] == seq


async def test_with_the_flag_off_there_is_neither_route_nor_reader(
    world: CarriedWorld, start_api: StartApi, viewer: str, module_database: str
) -> None:
    def readers() -> int:
        with psycopg.connect(module_database) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'makima-api-monitor'"
            return int(connection.execute(query + " AND datname = current_database()").fetchone()[0])  # type: ignore[index]

    before = await asyncio.to_thread(readers)
    api = await asyncio.to_thread(start_api, feature_flags__monitoring_dashboard="false")
    every = {"Authorization": f"Bearer {viewer}", "Accept": "text/event-stream"}
    async with world.http.get(f"{api.url}{MONITOR}", headers=every) as answer:
        assert answer.status == 404
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with world.http.ws_connect(f"{api.url}{MONITOR}", headers=every):
            pass
    document = await world.caller(api, viewer).good("GET", "/openapi.json")
    assert MONITOR not in document["paths"]
    assert await asyncio.to_thread(readers) == before
    assert "makima_monitor" not in api.get("metrics", "/metrics")[1]


async def test_the_document_has_the_stream_and_every_frame(world: CarriedWorld, api: ApiUnderTest, viewer: str) -> None:
    document = await world.caller(api, viewer).good("GET", "/openapi.json")
    content = document["paths"][MONITOR]["get"]["responses"]["200"]["content"]["text/event-stream"]
    names = [one["$ref"].rpartition("/")[2] for one in content["schema"]["oneOf"]]
    assert (
        {"StatusChanged", "HeartbeatFrame", "QuestionAsked", "Missed"}
        <= set(names)
        <= set(document["components"]["schemas"])
    )
