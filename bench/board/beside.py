"""What goes on while somebody looks: heartbeats and changes, each from a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench.board.beats import Steady
from bench.board.changes import Changes
from bench.deadlines import BenchError
from bench.own_processes import told
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
    async with _beside(run, "beats", plan) as telling:
        yield
        sent = await telling
    if sent["stored"] != sent["sent"] or not sent["sent"]:
        raise BenchError(f"{sent['sent']} heartbeats were sent, {sent['stored']} stored")


@asynccontextmanager
async def changing(run: Run, plan: Changes) -> AsyncIterator[None]:
    """Contracts change during the block, and until their time is over.

    Raises:
        BenchError: nothing changed; or at the end the counts are not those of the rows.
    """
    async with _beside(run, "changes", plan) as telling:
        yield
        if not (await telling)["changed"]:
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
async def _beside(run: Run, name: str, plan: Steady | Changes) -> AsyncIterator[asyncio.Task[Any]]:
    """`python -m bench.board.NAME` from here on, and what it will have said; ended with the block."""
    file = run.scratch / f"{name}.json"
    telling = asyncio.create_task(told(f"bench.board.{name}", file, plan, plan.seconds + GRACE_SECONDS))
    try:
        yield telling
    finally:
        telling.cancel()
