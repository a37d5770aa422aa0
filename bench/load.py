"""The work: contracts of five guarded phases, created, changed and confirmed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bench.cluster import NAMESPACE
from bench.observer import Observer
from bench.watching import contract_path
from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection

IN_FLIGHT = 16
PHASES = ("collect", "plan", "build", "check", "ship")
Object = dict[str, Any]


def contract(name: str) -> Object:
    """Five guarded phases; the first deliverable is reported with the creation, which makes the contract Active."""
    phases: list[Object] = [{"name": phase, "gate": {"autoAdvance": True}} for phase in PHASES]
    phases[0]["deliverables"] = [{"id": "brief"}]
    spec = {"phases": phases, "phaseGuard": True, "deliverables": [{"phase": PHASES[0], "id": "brief"}]}
    return {"apiVersion": "makima.dev/v1alpha1", "kind": "Contract", "metadata": {"name": name}, "spec": spec}


def names(number: int) -> list[str]:
    """Names of so many contracts."""
    return [f"c{index:05d}" for index in range(number)]


async def create(connection: Connection, name: str) -> None:
    """Create one contract."""
    await connection.request("POST", contract_path(NAMESPACE), body=contract(name))


async def create_all(connection: Connection, wanted: Iterable[str], in_flight: int = IN_FLIGHT) -> None:
    """Create contracts as fast as the API server takes them from so many callers."""
    queue = iter(list(wanted))

    async def worker() -> None:
        for name in queue:
            await create(connection, name)

    await asyncio.gather(*(worker() for _ in range(in_flight)))


async def suspend(connection: Connection, name: str) -> None:
    """The one change whose reaction is waited for."""
    patch = {"spec": {"suspend": True}}
    await connection.request("PATCH", contract_path(NAMESPACE, name), body=patch, content_type=MERGE_PATCH)


@dataclass
class Confirmations:
    """Confirms every move that is waited for, so many at a time.

    Attributes:
        sent: how many were accepted.
    """

    connection: Connection
    queue: asyncio.Queue[tuple[str, str, int]] = field(default_factory=asyncio.Queue)
    asked: dict[str, int] = field(default_factory=dict)
    sent: int = 0

    def see(self, name: str, status: Object) -> None:
        """Queue the confirmation that this status waits for."""
        version = status["version"]
        if status["state"] != "WaitingForInput" or self.asked.get(name, 0) >= version:
            return
        self.asked[name] = version
        following = PHASES.index(status["phase"]) + 1
        goal = PHASES[following] if following < len(PHASES) else "Completed"
        self.queue.put_nowait((name, goal, version))

    async def work(self) -> None:
        """Send confirmations until cancelled."""
        while True:
            name, goal, version = await self.queue.get()
            patch = {"spec": {"advance": {"to": goal, "expectedVersion": version, "confirmed": True}}}
            path = contract_path(NAMESPACE, name)
            await self.connection.request("PATCH", path, body=patch, content_type=MERGE_PATCH)
            self.sent += 1


@dataclass(slots=True)
class OpenLoop:
    """Contracts created at a fixed rate, whatever becomes of them.

    Attributes:
        sent: when each was sent (`time.perf_counter()`).
        late: by how many seconds each was sent later than planned.
    """

    connection: Connection
    rate: float
    sent: dict[str, float] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)

    async def run(self, wanted: list[str]) -> None:
        """Send them all; returns when the last has been answered."""
        began = time.perf_counter() + 0.5
        async with asyncio.TaskGroup() as group:
            for index, name in enumerate(wanted):
                planned = began + index / self.rate
                await asyncio.sleep(max(0.0, planned - time.perf_counter()))
                self.sent[name] = time.perf_counter()
                self.late.append(self.sent[name] - planned)
                group.create_task(create(self.connection, name))

    def latencies(self, observer: Observer, state: str) -> list[float]:
        """Seconds from sending to seeing `state`, sorted."""
        return sorted(observer.first[name][state] - at for name, at in self.sent.items())
