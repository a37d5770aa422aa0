"""A client's frames: never more than there is room for, in order, and each that found none is told of."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makima.domain.monitor.frames import Subject
from makima.models.wire.monitor import MonitorFilter
from makima.services.monitor.encoded import Frame, Told, subscribed
from makima.services.monitor.outbox import CONTROL, Ended, Outbox
from tests.support.fakes import START

SUBJECT = Subject("T", UUID(int=1), "ns", frozenset())


def happened(seq: int, size: int = 20) -> Told:
    text = json.dumps({"type": "T", "seq": seq, "x": "x" * size})
    return Told(Frame(text, len(text), seq), SUBJECT, START)


def heartbeat() -> Told:
    text = json.dumps({"type": "Heartbeat"})
    return Told(Frame(text, len(text)), SUBJECT, START)


async def taken(outbox: Outbox, most: int = 1000) -> list[dict[str, object]]:
    return [json.loads(frame.text) for frame in await outbox.take(most)]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.integers(0, 60)),
        st.tuples(st.just("heartbeat"), st.just(0)),
        st.tuples(st.just("take"), st.integers(1, 8)),
        st.tuples(st.just("answer"), st.just(0)),
    ),
    max_size=80,
)


@given(steps, st.integers(2, 8), st.integers(150, 600))
@settings(max_examples=200)
def test_every_event_comes_or_is_within_what_was_missed_and_order_holds(
    plan: list[tuple[str, int]], most: int, most_bytes: int
) -> None:
    async def run() -> None:
        outbox, seq, beats, got = Outbox(most, most_bytes), 0, 0, list[dict[str, object]]()
        for what, number in plan:
            if what == "event":
                seq += 1
                outbox.put(happened(seq, number))
            elif what == "heartbeat":
                beats += 1
                outbox.put(heartbeat())
            elif what == "answer":
                outbox.put_control(subscribed(seq, MonitorFilter()))
            elif len(outbox) or outbox._misses:
                got += await taken(outbox, number)
            assert len(outbox) <= most + CONTROL + 1
        outbox.end()
        try:
            while True:
                got += await taken(outbox)
        except Ended:
            pass
        _is_whole(got, seq, beats)

    asyncio.run(run())


def _is_whole(got: list[dict[str, object]], last: int, beats: int) -> None:
    at, missed_beats = 0, 0
    for frame in got:
        if frame["type"] == "T":
            assert frame["seq"] == at + 1
            at += 1
        elif frame["type"] == "Missed":
            missed_beats += int(str(frame["heartbeats"]))
            if "from_seq" in frame:
                assert frame["from_seq"] == at + 1
                at = int(str(frame["to_seq"]))
            assert "from_seq" in frame or frame["heartbeats"]
    assert at == last
    assert missed_beats + sum(frame["type"] == "Heartbeat" for frame in got) == beats


async def test_a_client_that_never_reads_costs_its_room_and_no_more() -> None:
    outbox = Outbox(100, 10_000)
    for seq in range(1, 100_001):
        outbox.put(happened(seq))
    assert len(outbox) <= 100
    assert outbox.size <= 10_000
    assert outbox.missed == 100_000 - len(outbox)
    first = await taken(outbox)
    assert [frame["seq"] for frame in first] == list(range(1, len(first) + 1))
    [missed] = await taken(outbox)
    assert (missed["from_seq"], missed["to_seq"], missed["heartbeats"]) == (len(first) + 1, 100_000, 0)
    outbox.put(happened(100_001))
    assert [frame["seq"] for frame in await taken(outbox)] == [100_001]


async def test_few_large_frames_fill_it_too() -> None:
    outbox = Outbox(100, 10_000)
    for seq in range(1, 5):
        outbox.put(happened(seq, 4000))
    assert (len(outbox), outbox.missed) == (2, 2)


async def test_answers_beyond_all_room_are_refused() -> None:
    outbox = Outbox(2, 10_000)
    taken_in = [outbox.put_control(subscribed(1, MonitorFilter())) for _ in range(CONTROL + 10)]
    assert taken_in.count(True) == 2 + CONTROL
    assert taken_in[-1] is False


async def test_after_its_end_nothing_is_added_and_what_waits_still_comes() -> None:
    outbox = Outbox()
    outbox.put(happened(1))
    outbox.end()
    outbox.put(happened(2))
    assert [frame["seq"] for frame in await taken(outbox)] == [1]
    with pytest.raises(Ended):
        await outbox.take(1)


async def test_whoever_waits_for_room_goes_on_once_there_is_some() -> None:
    outbox = Outbox(4, 10_000)
    for seq in range(1, 5):
        outbox.put(happened(seq))
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await taken(outbox)
    async with asyncio.timeout(5):
        await waiting
