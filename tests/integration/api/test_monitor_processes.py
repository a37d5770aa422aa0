"""The live monitor under faults and load: replicas are killed, transactions stay open, clients don't read."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from uuid import UUID, uuid4

import aiohttp
import psycopg
import pytest

from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.record import SQL
from makima.models.history import HistoryBatch, HistoryEvent
from tests.support.api_process import ApiUnderTest, StartApi
from tests.support.carried_world import CarriedWorld
from tests.support.history_values import START
from tests.support.monitor_client import MONITOR, Frame, events, happens, next_frame, subscribed, watching
from tests.support.unread_websocket import unread_websocket


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


async def _follow(
    world: CarriedWorld, replicas: list[ApiUnderTest], token: str, start: int, last: asyncio.Future[int]
) -> list[int]:
    """A client that goes to the next replica whenever its own is gone, and says where it was."""
    got: list[int] = []
    place, turn = start, 0
    while not (last.done() and place >= last.result()):
        turn += 1
        replica = replicas[turn % len(replicas)]
        try:
            async with watching(world.http, replica, token, f"?after={place}") as found:
                while not (last.done() and place >= last.result()):
                    message = await found.receive(timeout=1)
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        break
                    frame: Frame = message.json()
                    if "seq" in frame and frame["type"] != "Subscribed":
                        got.append(frame["seq"])
                        place = frame["seq"]
        except (aiohttp.ClientError, TimeoutError, OSError):
            await asyncio.sleep(0.05)
    return got


async def test_clients_of_two_replicas_lose_nothing_while_one_is_killed_and_transactions_stay_open(
    world: CarriedWorld, start_api: StartApi, viewer: str, told: PostgresHistory, module_database: str
) -> None:
    replicas = [await asyncio.to_thread(start_api) for _ in range(2)]
    start = await happens(told, world.namespace)
    last: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    clients = [
        asyncio.create_task(_follow(world, order, viewer, start, last)) for order in (replicas, replicas[::-1]) * 3
    ]

    async def told_by(number: int) -> None:
        for _ in range(40):
            await happens(told, world.namespace)
            await asyncio.sleep(0.005 * number)

    async def open_transaction() -> None:
        """Begins before the others, and commits after many of them; holds the counter for a while."""
        async with await psycopg.AsyncConnection.connect(module_database) as slow:
            await slow.execute(
                "INSERT INTO contracts (uid, namespace, name, type, phase) VALUES (%s, 'n', 'c', 't', 'p')", [uuid4()]
            )
            await asyncio.sleep(0.5)
            await slow.execute(SQL["lock_counter"])
            await asyncio.sleep(0.5)
            await slow.execute(
                "INSERT INTO events (seq, id, contract_id, namespace, contract_name, type, at)"
                " SELECT last + 1, gen_random_uuid(), %s, %s, 'c', 'Late', now() FROM event_counter",
                [uuid4(), world.namespace],
            )
            await slow.execute(SQL["raise_counter"], {"count": 1})
            await slow.commit()

    async def kills() -> None:
        for _ in range(2):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(replicas[0].kill)
            await asyncio.to_thread(replicas[0].start)

    await asyncio.gather(*(told_by(number) for number in range(4)), open_transaction(), kills())
    last.set_result(await happens(told, world.namespace))
    async with asyncio.timeout(240):
        seen = await asyncio.gather(*clients)
    assert seen == [list(range(start + 1, last.result() + 1))] * len(clients)


async def test_a_client_that_never_reads_misses_alone_and_costs_bounded_memory(
    world: CarriedWorld, api: ApiUnderTest, viewer: str, told: PostgresHistory
) -> None:
    start = await happens(told, world.namespace)
    before = api.memory()
    silent = unread_websocket(api, f"{MONITOR}?include_stale=true", viewer)
    async with silent, watching(world.http, api, viewer, f"?after={start}") as quick:
        await next_frame(quick)
        got = []
        for number in range(1, 21):  # in steps well below the 1 MiB a client may be behind: this one always keeps up
            await _many(told, world.namespace, 100, "x" * 4000)
            got += await asyncio.wait_for(events(quick, start + 100 * number), 120)
        assert [frame["seq"] for frame in got] == list(range(start + 1, start + 2001))
        await _metric(api, "makima_monitor_frames_missed_total")
        assert api.memory() - before < 150_000_000
    async with watching(world.http, api, viewer, f"?after={start + 1999}") as again:
        await next_frame(again)
        assert (await next_frame(again))["seq"] == start + 2000


async def test_a_client_that_does_not_read_is_told_exactly_what_it_missed(
    world: CarriedWorld, api: ApiUnderTest, viewer: str, told: PostgresHistory
) -> None:
    start = await happens(told, world.namespace)
    with _unread(api, viewer, start) as answer:
        for _ in range(20):
            await _many(told, world.namespace, 100, "x" * 4000)
        await _metric(api, "makima_monitor_frames_missed_total")
        covered = await asyncio.wait_for(asyncio.to_thread(_covered, answer, start + 2000), 60)
    assert [number for numbers in covered for number in numbers] == list(range(start + 1, start + 2001))
    assert any(len(numbers) > 1 for numbers in covered), "nothing was missed"


async def _many(told: PostgresHistory, namespace: str, number: int, text: str) -> None:
    made = [
        HistoryEvent(uuid4(), UUID(int=1), namespace, "c", None, "ContractTouched", START, None, {"text": text})
        for _ in range(number)
    ]
    await told.record(HistoryBatch(events=tuple(made)))


@contextmanager
def _unread(api: ApiUnderTest, token: str, after: int) -> Iterator[HTTPResponse]:
    """A client with a small window, of which only the beginning of the answer is read."""
    connection = HTTPConnection("127.0.0.1", int(api.ports["api"]), timeout=60)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sock.connect((connection.host, connection.port))
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    connection.request("GET", f"{MONITOR}?after={after}", headers=headers)
    with closing(connection):
        yield connection.getresponse()


def _covered(answer: HTTPResponse, last: int) -> list[range]:
    """Numbers that a stream told, or told to be missed, in its order, until the last one."""
    found: list[range] = []
    while not found or found[-1].stop <= last:
        line = answer.readline().decode()
        frame = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
        if frame.get("type") == "Missed":
            found.append(range(frame["from_seq"], frame["to_seq"] + 1))
        elif "seq" in frame and frame["type"] != "Subscribed":
            found.append(range(frame["seq"], frame["seq"] + 1))
    return found


async def _metric(api: ApiUnderTest, name: str) -> None:
    """Wait until a counter has counted."""

    def counted() -> bool:
        lines = api.get("metrics", "/metrics")[1].splitlines()
        return any(line.startswith(name) and float(line.split()[-1]) > 0 for line in lines)

    async with asyncio.timeout(60):
        while not await asyncio.to_thread(counted):
            await asyncio.sleep(0.1)


async def test_a_hundred_clients_with_filters_of_their_own_get_theirs(
    world: CarriedWorld, api: ApiUnderTest, viewer: str, told: PostgresHistory
) -> None:
    ids = [uuid4() for _ in range(100)]

    async def client(number: int, ready: asyncio.Barrier) -> list[str]:
        async with watching(world.http, api, viewer) as found:
            await subscribed(found, contract_ids=[str(ids[number]), str(ids[(number + 1) % 100])])
            await ready.wait()
            return [(await next_frame(found, 120))["contract_id"] for _ in range(2)]

    ready = asyncio.Barrier(101)
    clients = [asyncio.create_task(client(number, ready)) for number in range(100)]
    await asyncio.wait_for(ready.wait(), 120)
    assert "makima_monitor_clients 100.0" in api.get("metrics", "/metrics")[1]
    for uid in ids:
        await happens(told, world.namespace, uid)
    got = await asyncio.gather(*clients)
    for number, found in enumerate(got):
        assert sorted(found) == sorted([str(ids[number]), str(ids[(number + 1) % 100])])


async def test_at_most_so_many_clients_are_served(world: CarriedWorld, start_api: StartApi, viewer: str) -> None:
    api = await asyncio.to_thread(start_api, api__monitor_clients=1)
    async with watching(world.http, api, viewer):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with watching(world.http, api, viewer):
                pass
        assert refused.value.status == 503


async def test_a_process_that_ends_tells_its_clients_and_ends_soon(
    world: CarriedWorld, start_api: StartApi, viewer: str
) -> None:
    api = await asyncio.to_thread(start_api)
    headers = {"Authorization": f"Bearer {viewer}", "Accept": "text/event-stream"}
    async with (
        watching(world.http, api, viewer, "?after=0") as found,
        world.http.get(f"{api.url}{MONITOR}?after=0", headers=headers) as answer,
    ):
        assert answer.status == 200
        stopping = asyncio.create_task(asyncio.to_thread(api.stop))
        texts = (await answer.content.read()).decode()
        assert '"code":"UNAVAILABLE"' in texts
        frames = []
        while (message := await found.receive(timeout=30)).type is aiohttp.WSMsgType.TEXT:
            frames.append(message.json())
        assert frames[-1]["error"]["code"] == "UNAVAILABLE"
        # Not the socket's own close_code: it is 1006 where the process was gone before the client had answered.
        assert (message.type, message.data) in ((aiohttp.WSMsgType.CLOSE, code) for code in (1001, 1012))
        assert await stopping == 0
