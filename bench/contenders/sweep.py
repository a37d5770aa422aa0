"""makima's watch over a fleet's deadlines as a process: `python -m bench.contenders.sweep FILE`, figures as JSON.

The operator's own services on real Postgres: every deadline in the index comes at the same moment, one supervisor in a
hundred is silent. The others were heard of meanwhile, as the rows of `supervisors` tell the operator every two seconds;
or, the worst case, only Postgres has their newer heartbeats. Sweeps come as often as the operator's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import uvloop

from bench.beats.fleet import CURRENT, contract_id
from makima.adapters.postgres.coverage import PostgresCoverage
from makima.adapters.postgres.database import Database
from makima.adapters.postgres.heartbeats import PostgresHeartbeats
from makima.domain.supervision.liveness import Dead
from makima.services.control_loop.loop import SWEEP_SECONDS
from makima.services.supervision.liveness_watch import LivenessWatch, Watched

TIMEOUT = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who is watched.

    Attributes:
        due: when every deadline comes (POSIX seconds).
        silent: one in so many.
        seconds: of sweeps after that moment in which nothing is due.
        told: whether this process has heard of the living.
    """

    address: str
    supervisors: int
    due: float
    silent: int
    seconds: float
    told: bool


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def run(fleet: Fleet) -> dict[str, float]:
    """Watch until all silent ones are found, then for a while in which there is nothing to find."""
    database = Database(fleet.address)
    await database.open()
    try:
        return await _watch(fleet, database)
    finally:
        await database.close()


async def _watch(fleet: Fleet, database: Database) -> dict[str, float]:
    before = _memory()
    watch = LivenessWatch(PostgresHeartbeats(database), PostgresCoverage(database), _Clock())
    found: dict[UUID, float] = {}

    def note(watched: Watched, _: Dead) -> None:
        found.setdefault(watched.contract_id, time.time())

    watch.on_dead = note
    heard = datetime.fromtimestamp(fleet.due, UTC) - TIMEOUT
    for number in range(fleet.supervisors):
        watch.expect(Watched(contract_id(number), ("bench", f"s{number:05d}"), CURRENT, heard, TIMEOUT))
        if fleet.told and number % fleet.silent:
            watch.heard(contract_id(number), CURRENT, heard + TIMEOUT * 3 / 4)
    swept = await _sweep(watch, fleet.due)
    began, used = time.perf_counter(), time.process_time()
    while time.perf_counter() < began + fleet.seconds:
        await watch.sweep()
        await asyncio.sleep(SWEEP_SECONDS)
    idle = (time.process_time() - used) / (time.perf_counter() - began)
    _require(fleet, found)
    return {"last": max(found.values()) - fleet.due, "cpu": swept, "idle": idle, "memory": _memory() - before}


async def _sweep(watch: LivenessWatch, due: float) -> float:
    """Processor seconds of the sweep that finds them."""
    while True:
        used = time.process_time()
        if await watch.sweep():
            return time.process_time() - used
        if time.time() > due + 60:
            raise TimeoutError("no silent supervisor was found within 60 s of its deadline")
        await asyncio.sleep(SWEEP_SECONDS)


def _require(fleet: Fleet, found: dict[UUID, float]) -> None:
    silent = {contract_id(number) for number in range(0, fleet.supervisors, fleet.silent)}
    right, others = len(silent & set(found)), len(set(found) - silent)
    if others or right != len(silent):
        raise AssertionError(f"{len(silent)} are silent; {right} of them and {others} others were found")


def _memory() -> float:
    """Most MiB so far."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024


def main() -> None:
    """Watch; print figures."""
    fleet = Fleet(**json.loads(Path(sys.argv[1]).read_text()))
    print(json.dumps(uvloop.run(run(fleet))))


if __name__ == "__main__":
    main()
