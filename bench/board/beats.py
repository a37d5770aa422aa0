"""Heartbeats at a steady rate, beside what is measured: `python -m bench.board.beats FILE`.

An open loop, unlike `bench.beats.sender`: a fleet does not beat slower because somebody looks at a dashboard.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

import uvloop

from bench.beats.fleet import FIRST_SEQUENCE, Template, batch, entry, request
from bench.beats.sockets import BATCH_PATH, HttpSocket

SIZE = 100
"""Heartbeats of one call."""


@dataclass(frozen=True, slots=True)
class Steady:
    """What is sent: each of so many supervisors in turn, so many a second, for so long."""

    port: int
    token: str
    supervisors: int
    rate: float
    seconds: float


async def send(plan: Steady) -> dict[str, int]:
    """How many were sent, and how many of them were stored."""
    socket = (await asyncio.get_running_loop().create_connection(HttpSocket, "127.0.0.1", plan.port))[1]
    answers: asyncio.Queue[bytes] = asyncio.Queue()
    socket.on_answer = lambda _status, body: answers.put_nowait(body)
    socket.on_lost = lambda why: answers.put_nowait(json.dumps({"error": why}).encode())
    host = f"127.0.0.1:{plan.port}"
    groups = [range(start, start + SIZE) for start in range(0, plan.supervisors - SIZE + 1, SIZE)]
    calls = cycle([Template(request(host, BATCH_PATH, plan.token, batch([*map(entry, group)]))) for group in groups])
    began, sent, stored = time.perf_counter(), 0, 0
    for turn in count():
        if time.perf_counter() - began > plan.seconds:
            return {"sent": sent, "stored": stored}
        socket.send(next(calls).at(FIRST_SEQUENCE + turn))
        answer = json.loads(await asyncio.wait_for(answers.get(), 60))
        sent, stored = sent + SIZE, stored + int(answer.get("stored", 0))
        await asyncio.sleep(max(0.0, began + sent / plan.rate - time.perf_counter()))
    raise AssertionError("the turns are without end")


def main() -> None:
    """Read the plan, carry it out, print what came of it as JSON."""
    plan = Steady(**json.loads(Path(sys.argv[1]).read_text()))
    print(json.dumps(uvloop.run(send(plan))))


if __name__ == "__main__":
    main()
