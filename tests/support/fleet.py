"""Many contracts, carried from creation to Completed by somebody who only knows kubectl's means."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from uuid import UUID

from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection
from makima.adapters.kubernetes.contracts import path_of
from makima.adapters.postgres.history import PostgresHistory
from makima.errors import ClusterError
from tests.support.kube import Body, an_object

PHASES = ("plan", "build", "check", "ship")
POLL = 0.5


def contract_body(name: str) -> Body:
    """A contract of four phases with one deliverable each, that moves by itself."""
    phases = [{"name": p, "deliverables": [{"id": f"{p}-done"}], "gate": {"autoAdvance": True}} for p in PHASES]
    return an_object("Contract", name, {"phases": phases})


class Fleet:
    """A number of contracts in one namespace."""

    def __init__(self, admin: Connection, namespace: str, size: int) -> None:
        self.namespace, self.size = namespace, size
        self.admin = admin
        self.reported: dict[str, set[str]] = {}
        self.contracts: list[Body] = []

    async def create(self) -> None:
        """Apply all contracts."""
        path = path_of("contracts", self.namespace)
        bodies = [contract_body(f"c{number:03d}") for number in range(self.size)]
        await asyncio.gather(*(self.admin.request("POST", path, body=body) for body in bodies))

    async def carry(self, seconds: float) -> None:
        """Report each phase's deliverable as the contracts come to it, until all are Completed."""
        async with asyncio.timeout(seconds):
            while not await self._step():
                await asyncio.sleep(POLL)

    async def _step(self) -> bool:
        try:
            listed = await self.admin.request("GET", path_of("contracts", self.namespace))
        except ClusterError:
            return False  # the API server is away: that is what is tested
        self.contracts = listed["items"]
        await asyncio.gather(*(self._report(contract) for contract in self.contracts))
        return self.count("Completed") == self.size

    def count(self, state: str) -> int:
        """How many contracts were in this state at the last look."""
        return Counter(contract.get("status", {}).get("state") for contract in self.contracts)[state]

    def progress(self) -> int:
        """Sum of all versions at the last look: it rises with everything that happens."""
        return sum(contract.get("status", {}).get("version", 0) for contract in self.contracts)

    async def _report(self, contract: Body) -> None:
        phase, name = contract.get("status", {}).get("phase"), contract["metadata"]["name"]
        done = self.reported.setdefault(name, set())
        if phase is None or phase in done:
            return
        wanted = [{"phase": p, "id": f"{p}-done"} for p in PHASES if p in done | {phase}]
        patch, path = {"spec": {"deliverables": wanted}}, path_of("contracts", self.namespace, name)
        with contextlib.suppress(ClusterError):  # the next step tries again
            await self.admin.request("PATCH", path, body=patch, content_type=MERGE_PATCH)
            done.add(phase)

    async def assert_history(self, history: PostgresHistory, seconds: float = 30) -> None:
        """Every version is in Postgres, no phase was skipped or entered twice.

        Raises:
            AssertionError: names the contract and what its history has instead.
        """
        await self._until_recorded(history, seconds)
        for contract in self.contracts:
            events = await history.events(UUID(contract["metadata"]["uid"]), limit=1000)
            name, version = contract["metadata"]["name"], contract["status"]["version"]
            versions = sorted({stored.event.version for stored in events if stored.event.version is not None})
            assert versions == list(range(1, version + 1)), f"{name}: versions {versions}, status says {version}"
            moves = [
                s.event.payload["new_phase"] for s in events if s.event.type in ("ContractCreated", "PhaseChanged")
            ]
            assert tuple(moves) == PHASES, f"{name}: phases entered {moves}"
            states = [s.event.payload["new_status"] for s in events if s.event.type == "StatusChanged"]
            assert states[-2:] == ["completing", "completed"], f"{name}: states {states}"
            assert states.count("completed") == 1, f"{name}: states {states}"

    async def _until_recorded(self, history: PostgresHistory, seconds: float) -> None:
        wanted = {c["metadata"]["uid"]: c["status"]["version"] for c in self.contracts}
        async with asyncio.timeout(seconds):
            while True:
                recorded = await history.recorded_versions()
                if all(recorded.get(uid) == version for uid, version in wanted.items()):
                    return
                await asyncio.sleep(POLL)
