"""The live monitor: nothing is lost or repeated, whoever is slow misses alone, and nobody sees what RBAC hides."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from makima.models.enums import SupervisorState
from makima.models.supervision import Beat, LiveBeat
from makima.models.wire.monitor import MonitorFilter
from makima.services.access import remembered
from makima.services.monitor import heartbeats, monitor, subscription, tail
from makima.services.monitor.subscription import GOING_AWAY, POLICY, TRY_LATER
from makima.services.refusals import Refused
from tests.support.fake_stream import Watched, frames, until_ended
from tests.support.fakes import START

ONE, TWO = UUID(int=1), UUID(int=2)
BEAT = Beat(ONE, TWO, 1, 1, SupervisorState.WORKING, "plan", "reading", 10, (), START)
ROW = LiveBeat(ONE, "ns", "c", "active", 1, 1, SupervisorState.WORKING, "plan", "reading", 10, START)


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(tail, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(tail, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(tail, "AWAY_SECONDS", 0.01)
    found = Watched()
    found.monitor.start()
    yield found
    await found.monitor.stop()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


def seqs(got: list[dict[str, Any]]) -> list[int]:
    return [frame["seq"] for frame in got if frame["type"] != "Subscribed"]


async def test_a_client_gets_what_happens_from_when_it_was_let_in(watched: Watched) -> None:
    watched.stream.happens()
    await until(lambda: watched.monitor.tail.head == 1)
    found = await watched.place()
    watched.stream.happens()  # before it said what it wants
    await until(lambda: watched.monitor.tail.head == 2)
    await found.begin(MonitorFilter())
    watched.stream.happens()
    got = await frames(found, 3)
    assert (got[0]["type"], got[0]["seq"], got[0]["filter"]["include_stale"]) == ("Subscribed", 1, True)
    assert seqs(got) == [2, 3]


async def test_whoever_comes_back_gets_the_rest_without_loss_or_repetition(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From memory and from Postgres, while more happens, in whatever order the tasks run."""
    monkeypatch.setattr(tail, "KEPT", 20)
    monkeypatch.setattr(subscription, "REPLAY_PAGE", 7)
    for _ in range(100):
        watched.stream.happens()
    await until(lambda: watched.monitor.tail.head == 100)

    async def happening() -> None:
        for _ in range(200):
            watched.stream.happens()
            await asyncio.sleep(random.choice((0, 0, 0.002)))  # order of tasks, no secret

    async def comes_back(after: int) -> list[int]:
        found = await watched.watch(after=after)
        got = await frames(found, 1 + 300 - after)
        assert got[0]["seq"] == after
        return seqs(got)

    places = (0, 1, 50, 79, 80, 81, 95, 99, 100)
    _, *all_got = await asyncio.gather(happening(), *(comes_back(after) for after in places))
    assert all_got == [list(range(after + 1, 301)) for after in places]
    assert watched.stream.replays > 0


async def test_a_client_that_is_behind_is_asked_of_postgres_only_for_what_is_not_in_memory(watched: Watched) -> None:
    for _ in range(50):
        watched.stream.happens()
    await until(lambda: watched.monitor.tail.head == 50)
    assert seqs(await frames(await watched.watch(after=10), 41)) == list(range(11, 51))
    assert watched.stream.replays == 0


async def test_a_slow_client_misses_alone_and_is_told_what(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = await watched.watch(), await watched.watch()
    reading = asyncio.create_task(frames(quick, 3001))
    for _ in range(3000):
        watched.stream.happens()
        await asyncio.sleep(0)
    assert seqs(await reading) == list(range(1, 3001))
    got = await frames(slow, len(slow.outbox) + 1)
    assert got[-1]["type"] == "Missed"
    last = got[-2]["seq"]
    assert (got[-1]["from_seq"], got[-1]["to_seq"]) == (last + 1, 3000)
    assert watched.monitor.missed == 3000 - last
    watched.stream.happens()
    assert seqs(await frames(slow, 1)) == [3001]
    await slow.change(MonitorFilter(after=last))
    again = await frames(slow, 1 + 3001 - last)
    assert seqs(again) == list(range(last + 1, 3002))


async def test_a_filter_holds_from_its_word_on_and_the_next_takes_its_place(watched: Watched) -> None:
    found = await watched.watch(contract_ids=[str(ONE)])
    await until(lambda: found.is_live)
    watched.stream.happens(TWO)
    watched.stream.happens(ONE)
    await until(lambda: watched.monitor.tail.head == 2)
    await found.change(MonitorFilter(contract_ids=(TWO,)))
    watched.stream.happens(ONE)
    watched.stream.happens(TWO)
    got = await frames(found, 4)
    assert [(frame["type"], frame["seq"]) for frame in got] == [
        ("Subscribed", 0),
        ("TaskCompleted", 2),
        ("Subscribed", 2),
        ("TaskCompleted", 4),
    ]


async def test_a_client_that_is_far_behind_may_change_its_filter_on_the_way(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "KEPT", 5)
    for number in range(3000):
        watched.stream.happens((ONE, TWO)[number % 2])
    await until(lambda: watched.monitor.tail.head == 3000)
    found = await watched.watch(after=0)
    first = await frames(found, 100)
    await found.change(MonitorFilter(contract_ids=(ONE,)))
    rest: list[dict[str, Any]] = []
    while not rest or rest[-1]["seq"] != 2999:
        rest += await frames(found, 1)
    place = next(index for index, frame in enumerate(rest) if frame["type"] == "Subscribed")
    turned = rest[place]["seq"]
    assert seqs(first) + seqs(rest[:place]) == list(range(1, turned + 1))
    assert seqs(rest[place:]) == [seq for seq in range(turned + 1, 3001) if seq % 2]


async def test_a_place_that_the_stream_has_not_reached_is_refused_and_what_held_holds_on(watched: Watched) -> None:
    watched.stream.happens()
    found = await watched.watch(after=0)
    with pytest.raises(Refused, match="only come to 1") as refused:
        await found.change(MonitorFilter(after=7))
    assert refused.value.problem.details == {"last": 1}
    watched.stream.happens()
    assert seqs(await frames(found, 3)) == [1, 2]


async def test_a_replica_that_is_behind_another_looks_for_what_its_client_has_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tail, "POLL_SECONDS", 600)
    watched = Watched()
    watched.monitor.start()
    await watched.monitor.tail.ready()
    watched.stream.silent = True  # no word of it comes
    watched.stream.happens()
    began = asyncio.get_running_loop().time()
    found = await watched.watch(after=1)
    assert asyncio.get_running_loop().time() - began < tail.START_SECONDS
    watched.stream.silent = False
    watched.stream.happens()
    assert seqs(await frames(found, 2)) == [2]
    await watched.monitor.stop()


async def test_nobody_sees_what_rbac_hides_and_a_namespace_of_no_right_is_refused(watched: Watched) -> None:
    watched.spaces |= {"other"}
    watched.grant("bob", "ns")
    found = await watched.watch("bob")
    watched.stream.happens(namespace="other")
    watched.stream.happens(namespace="ns")
    assert seqs(await frames(found, 2)) == [2]
    with pytest.raises(Refused, match="may not watch contracts in other"):
        await found.change(MonitorFilter(namespaces=("other",)))
    with pytest.raises(Refused, match="FORBIDDEN"):
        await watched.watch("mallory")
    assert watched.monitor.clients == 1


async def test_a_connection_that_is_limited_to_namespaces_stays_so(watched: Watched) -> None:
    watched.spaces |= {"other"}
    found = await watched.place(within=["ns"])
    await found.begin(MonitorFilter())
    watched.stream.happens(namespace="other")
    watched.stream.happens(namespace="ns")
    assert seqs(await frames(found, 2)) == [2]
    with pytest.raises(Refused, match="limited to ns"):
        await found.change(MonitorFilter(namespaces=("other",)))


async def test_a_right_that_is_taken_away_ends_the_client_with_the_reason(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "VERIFY_SECONDS", 0)
    monkeypatch.setattr(remembered, "CACHED_SECONDS", -1)
    monkeypatch.setattr(remembered, "REFUSED_SECONDS", -1)
    watched.grant("bob", "ns")
    bob, ann = await watched.watch("bob"), await watched.watch("ann")
    await watched.monitor.sweep()
    watched.reviews.granted.discard(("bob", "watch", "contracts", "ns"))
    await watched.monitor.sweep()
    watched.stream.happens()
    got = await until_ended(bob)
    assert [frame.get("error", {}).get("code") for frame in got] == [None, "FORBIDDEN"]
    assert bob.code == POLICY
    assert seqs(await frames(ann, 2)) == [1]


async def test_a_right_that_is_given_widens_what_is_seen(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "VERIFY_SECONDS", 0)
    monkeypatch.setattr(remembered, "CACHED_SECONDS", -1)
    monkeypatch.setattr(remembered, "REFUSED_SECONDS", -1)
    watched.spaces |= {"other"}
    watched.grant("bob", "ns")
    found = await watched.watch("bob")
    await until(lambda: found.is_live)
    watched.stream.happens(namespace="other")
    await until(lambda: watched.monitor.tail.head == 1)
    watched.grant("bob", "other")
    await watched.monitor.sweep()
    watched.stream.happens(namespace="other")
    assert seqs(await frames(found, 2)) == [2]


async def test_no_answer_of_the_api_server_is_no_reason_until_it_lasts(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "VERIFY_SECONDS", 0)
    monkeypatch.setattr(remembered, "CACHED_SECONDS", -1)
    found = await watched.watch()
    watched.reviews.away = True
    await watched.monitor.sweep()
    watched.stream.happens()
    assert seqs(await frames(found, 2)) == [1]
    monkeypatch.setattr(monitor, "UNVERIFIED_SECONDS", -1)
    await watched.monitor.sweep()
    [last] = await until_ended(found)
    assert last["error"]["code"] == "UNAVAILABLE"
    assert found.code == TRY_LATER


async def test_a_client_that_takes_nothing_for_too_long_is_ended(watched: Watched) -> None:
    found = await watched.watch()
    found.sending_since = asyncio.get_running_loop().time() - monitor.STUCK_SECONDS - 1
    await watched.monitor.sweep()
    assert found.stuck.is_set()
    assert (await until_ended(found))[-1]["error"]["message"] == "the client does not read"


async def test_only_so_many_clients_have_a_place() -> None:
    watched = Watched(most=2)
    watched.monitor.start()
    first = await watched.watch()
    await watched.watch()
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await watched.watch()
    watched.monitor.close(first)
    await watched.watch()
    assert watched.monitor.clients == 2
    await watched.monitor.stop()


async def test_when_the_process_ends_every_client_is_told_to_go_elsewhere(watched: Watched) -> None:
    found = await watched.watch()
    ends = asyncio.create_task(watched.monitor.see_off(600))
    await asyncio.sleep(0)
    got = await until_ended(found)
    assert not ends.done()
    watched.monitor.close(found)
    async with asyncio.timeout(20):
        await ends
    assert got[-1]["error"]["code"] == "UNAVAILABLE"
    assert found.code == GOING_AWAY
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await watched.watch()


async def test_postgres_may_be_away_and_nothing_is_lost(watched: Watched) -> None:
    found = await watched.watch()
    await until(lambda: found.is_live)
    watched.stream.away = True
    for _ in range(3):
        watched.stream.happens()
    await asyncio.sleep(0.05)
    watched.stream.away = False
    assert seqs(await frames(found, 4)) == [1, 2, 3]


async def test_while_postgres_is_away_a_new_client_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "START_SECONDS", 0.05)
    monkeypatch.setattr(tail, "AWAY_SECONDS", 0.01)
    watched = Watched()
    watched.stream.away = True
    watched.monitor.start()
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await watched.watch()
    assert watched.monitor.clients == 0
    await watched.monitor.stop()


async def test_what_happened_before_a_restart_is_in_memory_again() -> None:
    watched = Watched()
    for _ in range(600):
        watched.stream.happens()
    watched.monitor.start()
    assert seqs(await frames(await watched.watch(after=590), 11)) == list(range(591, 601))
    assert watched.stream.replays == 0
    await watched.monitor.stop()


async def test_a_heartbeat_comes_once_wherever_it_was_taken_and_only_to_who_asked(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeats, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(heartbeats, "LOOK_SECONDS", 0.01)
    watched.stream.names[ONE] = ("ns", "c", "active")
    live = watched.monitor.heartbeats
    live.note([BEAT])  # nobody asks
    asks, other = await watched.watch(include_heartbeats=True), await watched.watch()
    await until(lambda: asks.is_live and other.is_live)
    await until(lambda: live._since is not None)
    live.note([BEAT._replace(sequence=2), BEAT._replace(contract_id=TWO)])  # of TWO nobody knows the name
    watched.stream.beats = [replace(ROW, sequence=2), replace(ROW, sequence=3, state=SupervisorState.BLOCKED)]
    got = await frames(asks, 3)
    assert [(frame["type"], frame.get("state")) for frame in got[1:]] == [
        ("Heartbeat", "working"),
        ("Heartbeat", "blocked"),
    ]
    assert "seq" not in got[1]
    assert got[1]["contract_status"] == "active"
    await asyncio.sleep(0.05)
    assert (len(asks.outbox), len(other.outbox)) == (0, 1)


async def test_how_late_events_are_is_counted(watched: Watched) -> None:
    watched.clock.advance(seconds=2)
    watched.stream.happens()
    await until(lambda: watched.ages)
    assert watched.ages == [2.0]


async def test_caches_of_rights_hold_for_seconds_only() -> None:
    """What the periods of the monitor add to: a revoked right ends a client within about a minute."""
    assert remembered.CACHED_SECONDS + monitor.VERIFY_SECONDS + monitor.SWEEP_SECONDS <= 70
