"""The load generator's process: `python -m bench.beats.sender FILE` sends until its time is over, and prints figures.

A closed loop: each socket has one exchange under way and sends the next when that is answered. Each supervisor belongs
to one socket, so its heartbeats are in order.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import uvloop

from bench.beats.exchanges import Exchange, Plan, exchanges, foreign_frame
from bench.beats.fleet import STRAYS
from bench.beats.sockets import ANSWER_SECONDS, CONNECT_SECONDS, STREAM_PATH, HttpSocket, StreamSocket
from bench.results import percentile

SHOWN = 5


@dataclass(slots=True)
class Sent:
    """What came of it.

    Attributes:
        stored: acknowledged, in all and within the time that counts.
        refused: strays that were refused as they should be, by code.
        wrong: answers that should have been others.
    """

    stored: int = 0
    counted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    latencies: array[float] = field(default_factory=lambda: array("d"))


class Lane:
    """One socket with its supervisors."""

    def __init__(self, plan: Plan, sent: Sent, socket: HttpSocket, exchanges: Iterator[Exchange]) -> None:
        self._plan, self._sent, self._socket, self._exchanges = plan, sent, socket, exchanges
        self._sequences = count(plan.sequence)
        self._judge = _single if plan.kind == "single" else _many
        self._at = 0.0
        self._now = next(self._exchanges)
        self._from = self._until = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        socket.on_answer, socket.on_lost = self._answered, self._lost

    def start(self, begins: float, until: float) -> None:
        """Send, and count what is answered between these moments."""
        self._from, self._until = begins, until
        self._send()

    def _send(self) -> None:
        data = self._now.template.at(next(self._sequences))
        self._at = time.perf_counter()
        self._socket.send(data)

    def _answered(self, status: int, body: bytes) -> None:
        now = time.perf_counter()
        stored = self._judge(self._sent, self._now, status, body)
        if self._from <= now < self._until:
            self._sent.counted += stored
            if self._now.stray is None:
                self._sent.latencies.append(now - self._at)
        if now < self._until:
            self._now = next(self._exchanges)
            self._send()
        elif not self.done.done():
            self.done.set_result(None)

    def _lost(self, why: str) -> None:
        self._sent.wrong.append(why)
        if not self.done.done():
            self.done.set_result(None)


def _single(sent: Sent, exchange: Exchange, status: int, body: bytes) -> int:
    if exchange.stray is None and status == 200 and b'"result":"stored"' in body:
        sent.stored += 1
        return 1
    if exchange.stray is not None and status in (403, 409) and exchange.stray.encode() in body:
        sent.refused[exchange.stray] += 1
    else:
        sent.wrong.append(f"{exchange.stray or 'a good one'}: {status} {body[:300]!r}")
    return 0


def _many(sent: Sent, exchange: Exchange, status: int, body: bytes) -> int:
    answer = json.loads(body)
    codes = Counter(item["error"]["code"] for item in answer.get("entries", ()) if item.get("error"))
    due = Counter({exchange.stray or "SUPERSEDED": exchange.good if exchange.stray else exchange.old})
    good = 0 if exchange.stray else exchange.good
    stored = int(answer.get("stored", 0))
    sent.stored += stored
    sent.refused.update(codes)
    if status != 200 or stored != good or codes != due:
        sent.wrong.append(f"{good} good, {dict(due)} bad: {status} {body[:300]!r}")
    return stored


class StrayLane:
    """The stream with a foreign token: a frame whenever its share of the traffic is due."""

    def __init__(self, plan: Plan, sent: Sent, socket: HttpSocket) -> None:
        self._sent, self._socket, self._exchange = sent, socket, foreign_frame(plan)
        self._share = plan.size * STRAYS
        self._sequences = count(plan.sequence)
        self._busy = False
        self._frames = 0
        socket.on_answer, socket.on_lost = self._answered, sent.wrong.append

    async def run(self, until: float) -> None:
        """Until then."""
        while time.perf_counter() < until or self._busy:
            if not self._busy and self._sent.stored >= self._frames * self._share and time.perf_counter() < until:
                self._frames, self._busy = self._frames + 1, True
                self._socket.send(self._exchange.template.at(next(self._sequences)))
            await asyncio.sleep(0.02)

    def _answered(self, status: int, body: bytes) -> None:
        self._busy = False
        _many(self._sent, self._exchange, status, body)


async def _connected(plan: Plan, token: str) -> HttpSocket:
    loop, host = asyncio.get_running_loop(), f"127.0.0.1:{plan.port}"
    if plan.kind != "stream":
        return (await loop.create_connection(HttpSocket, "127.0.0.1", plan.port))[1]
    made = partial(StreamSocket, host, STREAM_PATH, token)
    found: StreamSocket = (await loop.create_connection(made, "127.0.0.1", plan.port))[1]
    await asyncio.wait_for(found.opened, CONNECT_SECONDS)
    return found


async def run(plan: Plan) -> Sent:
    """Send until the time is over; returns when everything is answered.

    Raises:
        TimeoutError: an answer did not come.
    """
    sent = Sent()
    lanes = []
    for number in range(plan.sockets):
        socket = await _connected(plan, plan.tokens[number % len(plan.tokens)])
        lanes.append(Lane(plan, sent, socket, exchanges(plan, number)))
    strays = StrayLane(plan, sent, await _connected(plan, plan.foreign)) if plan.kind == "stream" else None
    begins = time.perf_counter() + plan.warm_up
    for lane in lanes:
        lane.start(begins, begins + plan.seconds)
    async with asyncio.timeout(plan.warm_up + plan.seconds + ANSWER_SECONDS):
        if strays is not None:
            await strays.run(begins + plan.seconds)
        await asyncio.gather(*(lane.done for lane in lanes))
    return sent


def main() -> None:
    """Read the plan, carry it out, print what came of it as JSON."""
    plan = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    gc.disable()  # nothing here makes cycles, and a collection would show in the latency
    sent = uvloop.run(run(plan))
    used = resource.getrusage(resource.RUSAGE_SELF)
    latencies = sorted(sent.latencies)
    found: dict[str, Any] = {
        "stored": sent.stored,
        "rate": sent.counted / plan.seconds,
        "p50": percentile(latencies, 0.5) * 1000,
        "p99": percentile(latencies, 0.99) * 1000,
        "refused": sent.refused,
        "wrong": len(sent.wrong),
        "shown": sent.wrong[:SHOWN],
        "cpu": used.ru_utime + used.ru_stime,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
