"""Contracts that change at a steady rate, beside what is measured: `python -m bench.board.changes FILE`.

A process of its own, as the operator is one: in the process that looks, its work would be taken for waiting.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench.beats.fleet import contract_id
from bench.board.filling import PHASES, Size, status_of
from makima.adapters.postgres.history import PostgresHistory
from makima.models.history import ContractRow, HistoryBatch

CHANGES = 5
PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes: `CHANGES` of so many contracts each `PAUSE`, for so long."""

    url: str
    contracts: int
    carried: int
    seconds: float


async def change(plan: Changes) -> int:
    """Record as the operator does; how many changes there were."""
    history, chance = PostgresHistory(plan.url), random.Random(5)
    await history.open()
    size, made, until = Size(plan.contracts, plan.carried, 0), 0, time.monotonic() + plan.seconds
    try:
        while time.monotonic() < until:
            some = chance.sample(range(size.contracts), CHANGES)
            await history.record(
                HistoryBatch(rows=tuple(_changed(number, 1000 + made, chance, size) for number in some))
            )
            made += CHANGES
            await asyncio.sleep(PAUSE)
    finally:
        await history.close()
    return made


def _changed(number: int, version: int, chance: random.Random, size: Size) -> ContractRow:
    now = datetime.now(UTC)
    return ContractRow(
        uid=contract_id(number),
        namespace="",  # a row that is there keeps its own
        name="",
        type="specification",
        status=status_of(chance.randrange(size.contracts), size),
        phase=chance.choice(PHASES),
        phases=PHASES,
        version=version,
        resource_version=str(version),
        generation=1,
        created_at=now,
        updated_at=now,
        status_changed_at=now,
        last_activity_at=now,
    )


def main() -> None:
    """Read the plan, carry it out, print what came of it as JSON."""
    plan = Changes(**json.loads(Path(sys.argv[1]).read_text()))
    print(json.dumps({"changed": uvloop.run(change(plan))}))


if __name__ == "__main__":
    main()
