"""Load of many external supervisors: heartbeats as fast as they are told to, moves and changes of state on the way.

Arguments: seconds between the heartbeats of one supervisor, then the contracts by name. Each contract has the phases of
`PHASES`; the last one is left to whoever ends the load. At its end it prints what was acknowledged, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from makima.models.enums import SupervisorState
from makima.supervisor import Supervisor
from makima.supervisor.place import place_from

LAST = "last"
PATIENCE_SECONDS = 180.0
BEATS_PER_CHANGE = 20
BEATS_PER_PHASE = 60


@dataclass
class Told:
    """What one supervisor was told.

    Attributes:
        acknowledged: numbers of the heartbeats that the API service said are stored.
        slowest: seconds that the slowest of them took, tries that failed included.
    """

    contract_id: str
    incarnation: int
    restored: str
    acknowledged: list[int] = field(default_factory=list)
    slowest: float = 0.0


async def carry(name: str, pause: float) -> Told:
    """One supervisor, until its contract is completed."""
    place = place_from(contract=f"{os.environ['NAMESPACE']}/{name}")
    async with Supervisor(place, patience=PATIENCE_SECONDS) as supervisor:
        life = supervisor.life
        told = Told(str(life.contract_id), life.incarnation, str(supervisor.restoration.outcome))
        supervisor.report(SupervisorState.WORKING, activity="carrying")
        for turn in count(1):
            if supervisor.picture.completed:
                break
            await beat(supervisor, told)
            await work(supervisor, turn)
            await asyncio.sleep(pause)
        return told


async def beat(supervisor: Supervisor, told: Told) -> None:
    """A heartbeat; its number is noted once it is acknowledged. The library's own ones are not counted."""
    number = supervisor._heartbeats._sequence + 1  # that of the next one: nothing comes between
    began = time.monotonic()
    if await supervisor.heartbeat():
        told.acknowledged.append(number)
    told.slowest = max(told.slowest, time.monotonic() - began)


async def work(supervisor: Supervisor, turn: int) -> None:
    """What makes versions of the contract: blocked and not, and its deliverables."""
    if turn % BEATS_PER_CHANGE == 0:
        blocked = supervisor.picture.state is SupervisorState.BLOCKED
        supervisor.report(SupervisorState.WORKING if blocked else SupervisorState.BLOCKED)
    if turn % BEATS_PER_PHASE == 0 and supervisor.picture.phase != LAST:
        await supervisor.complete_deliverable("report")


async def main(pause: float, names: list[str]) -> None:
    """All of them at once."""
    told = await asyncio.gather(*(carry(name, pause) for name in names))
    result: dict[str, Any] = {name: vars(one) for name, one in zip(names, told, strict=True)}
    print(json.dumps(result))


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), sys.argv[2:]))
