"""The contract behind a session, as the API server has it now, and writes to it that only its current life may make."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from makima.domain.supervision.heartbeat_times import HeartbeatTimes, filled_in
from makima.errors import Conflict, NotFound, Superseded
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, SupervisorReference
from makima.models.supervision import Session
from makima.models.supervisor import Supervisor
from makima.models.wire.problem import Code
from makima.ports import Cluster, JsonObject
from makima.services.access.live_contract import accepted, contract_in
from makima.services.refusals import Refused, refusal, unavailable
from makima.services.status_write import write_status

ATTEMPTS = 8
"""Reads and decisions of one call before it gives up: each lost race is somebody else's write that went through."""


class CarriedCluster(Cluster, Protocol):
    """The Kubernetes API as far as supervisors' calls need it."""

    async def supervisor(self, namespace: str, name: str) -> JsonObject | None:
        """The Supervisor as it is now (a quorum read), or None."""
        ...


@dataclass(frozen=True, slots=True)
class Carried:
    """A contract that was accepted, with its status, its supervisor, and the object that a write replaces."""

    body: JsonObject
    contract: Contract
    status: ContractStatus
    supervisor: Supervisor | None


class CarriedWork:
    """Reads contracts and supervisors past every cache, and writes contracts' status.

    `heartbeats`: what holds for a Supervisor that was just applied without, until the operator fills it in.
    """

    def __init__(self, cluster: CarriedCluster, heartbeats: HeartbeatTimes) -> None:
        self.cluster, self._heartbeats = cluster, heartbeats

    async def named(self, namespace: str, name: str) -> tuple[Carried, Supervisor]:
        """Contract and Supervisor of this name, both there and the contract accepted.

        Raises:
            Refused: CONTRACT_NOT_FOUND, SUPERVISOR_NOT_FOUND, UNAVAILABLE while the contract is not accepted yet.
            ClusterError: see `makima.ports.Cluster`.
        """
        body, supervisor = await asyncio.gather(
            self.cluster.contract(namespace, name), self._supervisor(namespace, name)
        )
        if body is None or body["metadata"].get("deletionTimestamp"):
            raise _no_contract(namespace, name)
        if supervisor is None or supervisor.metadata.deleting:
            raise _no_supervisor(namespace, name)
        return _carried(body, supervisor), supervisor

    async def of(self, session: Session) -> Carried:
        """The session's own contract.

        Raises:
            Refused: CONTRACT_NOT_FOUND; a contract that was made anew with the same name is another one.
            ClusterError: see `makima.ports.Cluster`.
        """
        body, supervisor = await asyncio.gather(
            self.cluster.contract(session.namespace, session.name), self._supervisor(session.namespace, session.name)
        )
        if body is None or body["metadata"]["uid"] != str(session.contract_id):
            raise _no_contract(session.namespace, session.name)
        return _carried(body, supervisor)

    async def change(
        self, session: Session, incarnation: int, decide: Callable[[Carried], ContractStatus | None]
    ) -> Carried:
        """Read, decide, write; after a lost race again, a bounded number of times.

        Args:
            session: whose contract.
            incarnation: of the caller; compared with the very object that is replaced.
            decide: the next status, or None if nothing is to be written.

        Returns:
            The contract as it is then.

        Raises:
            Superseded: a newer life carries the contract.
            Refused: whatever `decide` refuses; UNAVAILABLE if the contract changes too fast.
            ClusterError: see `makima.ports.Cluster`.
        """
        for attempt in range(ATTEMPTS):
            carried = await self.of(session)
            fence(carried, session, incarnation)
            status = decide(carried)
            if status is None:
                return carried
            try:
                return _carried(await write_status(self.cluster, carried.body, status), carried.supervisor)
            except Conflict:
                await asyncio.sleep(random.uniform(0, 0.02 * (attempt + 1)))  # noqa: S311  # to part those who race
            except NotFound:
                raise _no_contract(session.namespace, session.name) from None
        raise unavailable("the contract changes too fast to be written", 1)

    async def point_at(self, session: Session) -> Carried:
        """Have the contract name this life before it acts, so that writes of older ones are refused from here on.

        Raises:
            Superseded: a newer life carries the contract already.
        """

        def decide(carried: Carried) -> ContractStatus | None:
            known = carried.status.supervisor_ref
            reference = SupervisorReference(
                name=session.name,
                uid=str(session.task_id),
                incarnation=session.incarnation,
                restarts=known.restarts if known is not None else 0,
            )
            return carried.status.model_copy(update={"supervisor_ref": reference}) if reference != known else None

        return await self.change(session, session.incarnation, decide)

    async def _supervisor(self, namespace: str, name: str) -> Supervisor | None:
        body = await self.cluster.supervisor(namespace, name)
        if body is None:
            return None
        supervisor = Supervisor.model_validate(body)
        return supervisor.model_copy(update={"spec": filled_in(supervisor.spec, self._heartbeats)})


def fence(carried: Carried, session: Session, incarnation: int) -> None:
    """The object that is about to be replaced must not name a newer life.

    Raises:
        Superseded: it does.
    """
    named = carried.status.supervisor_ref
    if named is not None and named.uid == str(session.task_id) and named.incarnation > incarnation:
        raise Superseded(named.incarnation)


def _carried(body: JsonObject, supervisor: Supervisor | None) -> Carried:
    contract = contract_in(body)
    return Carried(body, contract, accepted(contract), supervisor)


def _no_contract(namespace: str, name: str) -> Refused:
    return refusal(
        Code.CONTRACT_NOT_FOUND,
        f"there is no contract {namespace}/{name}",
        hint=f"kubectl -n {namespace} get contracts; a contract that was made anew has another id: register again",
    )


def _no_supervisor(namespace: str, name: str) -> Refused:
    return refusal(
        Code.SUPERVISOR_NOT_FOUND,
        f"there is no Supervisor {namespace}/{name}",
        hint="wait until the operator made it from the contract's spec.supervisor, or apply one of the same name",
    )
