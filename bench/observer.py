"""One watch of the load generator's: when each contract was first seen in each state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bench.deadlines import BenchError, until
from bench.watching import list_all, watch
from makima.adapters.kubernetes.connection import Connection

Object = dict[str, Any]


class Observer:
    """What the watch has shown so far, by the contract's name.

    Attributes:
        first: when (`time.perf_counter()`) a contract was first seen in a state; from the watch, not the listing.
        status: the newest that was seen.
        on_status: called with name and status whenever a status is seen.
    """

    def __init__(self) -> None:
        self.first: dict[str, dict[str, float]] = {}
        self.status: dict[str, Object] = {}
        self.task: asyncio.Task[None] | None = None
        self.on_status: Callable[[str, Object], None] = lambda _name, _status: None

    def see(self, body: Object, at: float) -> None:
        """Note an object."""
        name, status = body["metadata"]["name"], body.get("status") or {}
        state = status.get("state")
        if state is None:
            return
        self.first.setdefault(name, {}).setdefault(state, at)
        self.status[name] = status
        self.on_status(name, status)

    def ever(self, state: str) -> int:
        """How many contracts have been in this state."""
        return sum(state in seen for seen in self.first.values())

    def last_first(self, state: str) -> float:
        """When the last contract came into this state for the first time."""
        return max(seen[state] for seen in self.first.values() if state in seen)

    async def wait_for(self, state: str, number: int, seconds: float) -> None:
        """Wait until so many contracts have been in this state."""

        def there() -> bool:
            self.check()
            return self.ever(state) >= number

        await until(there, seconds, f"{number} contracts to have been {state}", pause=0.05)

    def check(self) -> None:
        """Whether the watch still runs.

        Raises:
            Exception: what ended it.
        """
        if self.task is not None and self.task.done():
            self.task.result()


@asynccontextmanager
async def observing(connection: Connection) -> AsyncIterator[Observer]:
    """An observer whose watch is open; it sees what happens from here on."""
    observer = Observer()
    _, version = await list_all(connection)
    observer.task = asyncio.create_task(_follow(observer, connection, version))
    await asyncio.sleep(0.2)
    try:
        yield observer
        observer.check()
    finally:
        observer.task.cancel()
        await asyncio.gather(observer.task, return_exceptions=True)


async def _follow(observer: Observer, connection: Connection, version: str) -> None:
    """Watch for ever; a watch that the server ends is opened again where it ended, so nothing is missed."""
    while True:
        async for event in watch(connection, version):
            if event["type"] == "ERROR":
                raise BenchError(f"the load generator's watch broke: {event['object'].get('message')}")
            version = event["object"]["metadata"]["resourceVersion"]
            if event["type"] in ("ADDED", "MODIFIED"):
                observer.see(event["object"], time.perf_counter())
