"""What goes on while somebody looks: heartbeats and changes, each from a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.beats.place import output_of
from bench.board.beats import Steady
from bench.board.changes import Changes
from bench.deadlines import BenchError
from bench.results import Run
from makima.adapters.postgres.counts import ContractCounts
from makima.adapters.postgres.history import PostgresHistory

GRACE_SECONDS = 120.0


@asynccontextmanager
async def beating(run: Run, plan: Steady) -> AsyncIterator[None]:
    """Heartbeats during the block, and until their time is over.

    Raises:
        BenchError: one was not stored.
    """
    async with _beside(run, "beats", plan, plan.seconds) as told:
        yield
        sent = await told
    if sent["stored"] != sent["sent"] or not sent["sent"]:
        raise BenchError(f"{sent['sent']} heartbeats were sent, {sent['stored']} stored")


@asynccontextmanager
async def changing(run: Run, plan: Changes) -> AsyncIterator[None]:
    """Contracts change during the block, and until their time is over.

    Raises:
        BenchError: nothing changed; or at the end the counts are not those of the rows.
    """
    async with _beside(run, "changes", plan, plan.seconds) as told:
        yield
        if not (await told)["changed"]:
            raise BenchError("no contract changed")
    history = PostgresHistory(plan.url)
    await history.open()
    try:
        wrong = await ContractCounts(history.database).wrong()
    finally:
        await history.close()
    if wrong:
        raise BenchError(f"counts are wrong: {wrong[:3]}")


@asynccontextmanager
async def _beside(run: Run, module: str, plan: Any, seconds: float) -> AsyncIterator[asyncio.Task[dict[str, int]]]:
    """`python -m bench.board.MODULE` from here on, and what it will have said; ended with the block."""
    file = await asyncio.to_thread(_written, run.scratch / f"{module}.json", asdict(plan))
    command = [sys.executable, "-m", f"bench.board.{module}", str(file)]
    telling = asyncio.create_task(_told(command, seconds + GRACE_SECONDS))
    try:
        yield telling
    finally:
        telling.cancel()


async def _told(command: list[str], seconds: float) -> dict[str, int]:
    found: dict[str, int] = json.loads(await output_of(command, seconds))
    return found


def _written(file: Path, what: dict[str, Any]) -> Path:
    """For this user's eyes only: it has a token in it."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(what))
    return file
