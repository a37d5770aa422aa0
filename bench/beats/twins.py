"""What else could write the same rows: `python -m bench.beats.twins FILE`, one process, and prints how many a second.

copy: COPY in batches of 1,000 whose text was made beforehand, each committed; no checks, nobody to answer. The floor.
insert: an INSERT for each heartbeat, prepared, committed by itself, on 8 connections.
patch: a merge patch of a Supervisor's status for each heartbeat, 64 in flight, on the API server.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import uvloop

from bench.beats.fleet import ACTIVITY, CURRENT, PHASE, contract_id, task_id
from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection

COLUMNS = "supervisor_task_id, contract_id, incarnation, sequence, state, phase, current_activity, progress"
BATCH = 1000
CONNECTIONS, IN_FLIGHT = 8, 64


@dataclass(frozen=True, slots=True)
class Work:
    """What is done.

    Attributes:
        address: of the database; for patch a kubeconfig.
        names: Supervisors to be patched.
    """

    kind: str
    address: str
    supervisors: int
    seconds: float
    namespace: str = ""
    names: tuple[str, ...] = ()


def _row(number: int, sequence: int) -> tuple[object, ...]:
    return (task_id(number), contract_id(number), CURRENT, sequence, "working", PHASE, ACTIVITY, 40)


def copied(work: Work) -> float:
    """COPY in batches."""
    texts = []
    for start in range(0, work.supervisors - BATCH + 1, BATCH):
        rows = (_row(number, 1) for number in range(start, start + BATCH))
        texts.append("".join("\t".join(map(str, row)) + "\n" for row in rows).encode())
    command, done = f"COPY supervisor_heartbeats ({COLUMNS}) FROM STDIN".encode(), 0
    with psycopg.connect(work.address, autocommit=True) as connection:
        began = time.perf_counter()
        while time.perf_counter() < began + work.seconds:
            with connection.cursor().copy(command) as copy:
                copy.write(texts[done % len(texts)])
            done += 1
        return done * BATCH / (time.perf_counter() - began)


async def _repeat(once: Callable[[int], Awaitable[object]], at_once: int, seconds: float) -> float:
    """How many a second, so many at a time."""
    numbers, began = count(), time.perf_counter()
    done = 0

    async def worker() -> None:
        nonlocal done
        while time.perf_counter() < began + seconds:
            await once(next(numbers))
            done += 1

    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(worker() for _ in range(at_once)))
    return done / (time.perf_counter() - began)


async def inserted(work: Work) -> float:
    """An INSERT for each."""
    places = ", ".join(["%s"] * 8)
    command = f"INSERT INTO supervisor_heartbeats ({COLUMNS}) VALUES ({places})".encode()
    free = [await psycopg.AsyncConnection.connect(work.address, autocommit=True) for _ in range(CONNECTIONS)]
    everything = list(free)

    async def once(number: int) -> None:
        connection = free.pop()
        await connection.execute(command, _row(number % work.supervisors, number), prepare=True)
        free.append(connection)

    try:
        return await _repeat(once, CONNECTIONS, work.seconds)
    finally:
        for connection in everything:
            await connection.close()


async def patched(work: Work) -> float:
    """A status patch for each."""
    root = f"/apis/makima.dev/v1alpha1/namespaces/{work.namespace}/supervisors"
    async with Connection(await load_configuration(Path(work.address)), "bench-patch") as connection:

        async def once(number: int) -> None:
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{number % 1_000_000:06d}Z"
            path = f"{root}/{work.names[number % len(work.names)]}/status"
            status = {"lastHeartbeatTime": at, "currentActivity": ACTIVITY, "progress": 40}
            await connection.request("PATCH", path, body={"status": status}, content_type=MERGE_PATCH)

        return await _repeat(once, IN_FLIGHT, work.seconds)


def main() -> None:
    """Do it; print the rate."""
    work = Work(**json.loads(Path(sys.argv[1]).read_text()))
    match work.kind:
        case "copy":
            rate = copied(work)
        case "insert":
            rate = uvloop.run(inserted(work))
        case _:
            rate = uvloop.run(patched(work))
    print(rate)


if __name__ == "__main__":
    main()
