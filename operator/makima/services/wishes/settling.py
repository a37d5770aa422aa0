"""Waiting, for a bounded time, until the operator has taken up what somebody wrote into a spec."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from makima.errors import ClusterUnavailable
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.wire.wishes import Result
from makima.ports import ContractReader, JsonObject
from makima.services.access.contract_lookup import ContractId, no_contract
from makima.services.access.live_contract import contract_in

FIRST_LOOK, LONGEST_PAUSE, FACTOR = 0.05, 1.0, 1.5
"""Seconds: a look costs the API server a read, and most wishes are taken up within a tenth of a second."""

LONGEST_WAIT = 30.0

Holds = Callable[[Contract, ContractStatus], bool]


class Settling:
    """Looks at contracts by quorum reads until a condition holds."""

    def __init__(self, cluster: ContractReader) -> None:
        self._cluster = cluster

    async def wait(self, written: JsonObject, holds: Holds, seconds: float) -> tuple[Contract, bool]:
        """The contract as it is at the end, and whether the condition holds.

        Args:
            written: the contract as it was after the write; the condition is only asked of statuses about it.

        Raises:
            Refused: CONTRACT_NOT_FOUND, it was deleted meanwhile.
        """
        loop = asyncio.get_running_loop()
        deadline, pause, body = loop.time() + min(seconds, LONGEST_WAIT), FIRST_LOOK, written
        generation = written["metadata"].get("generation", 0)
        while True:
            contract = contract_in(body)
            if _about(contract, generation) and contract.status is not None and holds(contract, contract.status):
                return contract, True
            if loop.time() + pause > deadline:
                return contract, False
            await asyncio.sleep(pause)
            pause = min(pause * FACTOR, LONGEST_PAUSE)
            body = await self._look(body)

    async def _look(self, before: JsonObject) -> JsonObject:
        """The contract now; as before where the API server does not answer: the change itself is made."""
        meta = before["metadata"]
        try:
            body = await self._cluster.contract(meta["namespace"], meta["name"])
        except ClusterUnavailable:
            return before
        if body is None or body["metadata"]["uid"] != meta["uid"]:
            raise no_contract(ContractId(UUID(meta["uid"])))
        return body


def result_of(settled: bool) -> Result:
    """What the answer to a wish says: it is taken up, or written and not yet taken up."""
    return "success" if settled else "pending"


def _about(contract: Contract, generation: int) -> bool:
    return contract.status is not None and (contract.status.observed_generation or 0) >= generation
