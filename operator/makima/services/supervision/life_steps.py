"""The steps of which a supervisor's life is made, each with its own precondition, so that none happens twice.

The order is the decision's; what protects it is here: Postgres counts lives, a status is written over exactly the
object it was decided on, a pod is deleted by UID and named after its life, and Postgres takes a pod's UID for the
current life only. So a frozen old leader that wakes up can do none of this a second time.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from makima.domain.supervision.heartbeat_times import HeartbeatTimes
from makima.domain.supervision.pod_manifest import supervisor_pod
from makima.domain.supervision.pod_reading import read_pod
from makima.domain.supervision.pods import PodSeen
from makima.domain.supervision.supervisor_manifest import changed_spec, supervisor_manifest
from makima.errors import Conflict, Superseded
from makima.models.contract import Contract
from makima.models.enums import SupervisorState
from makima.models.supervision import Session
from makima.models.supervisor import Supervisor, SupervisorStatus
from makima.ports import JsonObject, Pods, Supervisors
from makima.services.status_write import write_supervisor_status
from makima.services.supervision.supervisor_cache import Carrier, SupervisorCache
from makima.stores import SupervisorRegistry

log = logging.getLogger(__name__)


class OutOfDateError(Exception):
    """What was decided on has changed: look again."""


@dataclass(frozen=True, slots=True)
class LifePorts:
    """Everything that a life is made with."""

    supervisors: Supervisors
    pods: Pods
    registry: SupervisorRegistry


class LifeSteps:
    """Each step brings the cache up to what it did. All raise `MakimaError`; nothing is then known about the step.

    `heartbeats`: what a Supervisor gets where nobody says how often it is to be heard.
    """

    def __init__(self, ports: LifePorts, cache: SupervisorCache, api_url: str, heartbeats: HeartbeatTimes) -> None:
        self._ports, self._cache, self._api_url, self._heartbeats = ports, cache, api_url, heartbeats

    async def create_supervisor(self, contract: Contract) -> None:
        """Make the Supervisor that the contract asks for; one of its name that is there already is taken as it is."""
        wanted, meta = supervisor_manifest(contract, self._heartbeats), contract.metadata
        if wanted is None:
            return
        made = await self._ports.supervisors.create_supervisor(wanted)
        found = made or await self._ports.supervisors.supervisor(meta.namespace, meta.name)
        if found is not None:
            self._cache.see(found)

    async def keep_spec(self, carrier: Carrier, contract: Contract) -> None:
        """Bring the Supervisor's spec up to its contract's, with heartbeats filled in.

        Raises:
            OutOfDateError: somebody wrote in between; the cache has it now.
        """
        body = self._body(carrier)
        spec = changed_spec(Supervisor.model_validate(body), contract, self._heartbeats)
        if spec is None:
            return
        try:
            carrier.body = await self._ports.supervisors.replace_supervisor({**body, "spec": spec})
        except Conflict:
            await self.read_again(carrier)
            raise OutOfDateError(f"supervisor {carrier.name}") from None

    async def read_session(self, contract_id: UUID, carrier: Carrier) -> None:
        """What Postgres has about the contract's supervisor."""
        session = await self._ports.registry.session(contract_id)
        carrier.session, carrier.session_read = None, True
        if session is not None:
            self._cache.keep_session(session)

    async def allocate(self, carrier: Carrier, contract: Contract, after: int) -> int:
        """Begin the next life; asking again for the one after the same life begins no other.

        Returns:
            The incarnation that is current now.
        """
        meta = Supervisor.model_validate(self._body(carrier)).metadata
        asked = Session(UUID(contract.metadata.uid), UUID(meta.uid), meta.namespace, meta.name, 0)
        session = await self._ports.registry.allocate(asked, after=after)
        self._cache.keep_session(session)
        return session.incarnation

    async def judge(self, contract_id: UUID, incarnation: int, state: SupervisorState) -> None:
        """What was found about this life is its state in Postgres too; its next heartbeat says otherwise."""
        self._cache.keep_session(await self._ports.registry.judge(contract_id, incarnation, state))

    async def write_status(self, carrier: Carrier, status: SupervisorStatus) -> None:
        """Write it over exactly the object that is known.

        Raises:
            OutOfDateError: somebody wrote in between; the cache has it now.
        """
        try:
            carrier.body = await write_supervisor_status(self._ports.supervisors, self._body(carrier), status)
        except Conflict:
            await self.read_again(carrier)
            raise OutOfDateError(f"supervisor {carrier.name}") from None

    async def read_again(self, carrier: Carrier) -> None:
        """The Supervisor as the API server has it now."""
        carrier.body = await self._ports.supervisors.supervisor(*carrier.name)

    async def delete_pod(self, carrier: Carrier, pod: PodSeen, *, at_once: bool = False) -> None:
        """End exactly this pod. It counts as there until the watch, or the next comparison, says that it is gone."""
        await self._ports.pods.delete_pod(carrier.name[0], pod.name, pod.uid, at_once=at_once)
        log.info("supervisor %s/%s: pod %s is deleted", *carrier.name, pod.name)

    async def create_pod(self, carrier: Carrier, contract: Contract, incarnation: int) -> PodSeen:
        """Make the pod of this life, or find it made.

        Raises:
            OutOfDateError: the Supervisor is not what it was when this was decided. A pod has no precondition but its
                name, which is free again once a life is over: so a leader that slept looks first.
        """
        known = self._body(carrier)
        await self.read_again(carrier)
        if self._body(carrier)["metadata"]["resourceVersion"] != known["metadata"]["resourceVersion"]:
            raise OutOfDateError(f"supervisor {carrier.name} has changed")
        supervisor = Supervisor.model_validate(known)
        manifest = supervisor_pod(supervisor, incarnation, self._api_url, contract.spec.workspace)
        seen = read_pod(await self._ports.pods.create_pod(manifest))
        if seen is None:
            raise OutOfDateError(f"pod {manifest['metadata']['name']} is not as it was made")
        self._cache.see_pod(seen, gone=False)
        log.info("supervisor %s/%s: life %d runs in pod %s", *carrier.name, incarnation, seen.pod.name)
        return seen.pod

    async def find_pod(self, carrier: Carrier, name: str) -> None:
        """Ask for a pod that the status names and no watch has shown, before it is taken for gone."""
        seen = read_pod(await self._ports.pods.pod(carrier.name[0], name) or {"metadata": {}})
        if seen is not None:
            self._cache.see_pod(seen, gone=False)

    async def name_pod(self, carrier: Carrier, contract: Contract, incarnation: int, uid: str | None) -> None:
        """Let the token of this pod, and of no other, act for this life.

        Raises:
            OutOfDateError: a newer life has begun.
        """
        pod = UUID(uid) if uid is not None else None
        try:
            session = await self._ports.registry.set_pod(UUID(contract.metadata.uid), incarnation, pod)
        except Superseded as error:
            await self.read_session(UUID(contract.metadata.uid), carrier)
            raise OutOfDateError(str(error)) from None
        self._cache.keep_session(session)

    def _body(self, carrier: Carrier) -> JsonObject:
        if carrier.body is None:
            raise OutOfDateError(f"supervisor {carrier.name} is gone")
        return carrier.body
