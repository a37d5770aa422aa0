"""Supervisors, level-triggered: look at everything that is known of one, decide, take one step; again until at rest.

The flow `timer → overdue? → restart → restore` runs through here: `LivenessWatch` finds the silent ones, the decision
(`makima.domain.supervision.next_step`) says what follows, `LifeSteps` does it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.domain.supervision.pod_reading import read_pod
from makima.domain.supervisor_calls.told import Report
from makima.errors import ClusterError
from makima.models.contract import Contract
from makima.models.supervision import Session
from makima.ports import JsonObject, ObjectKey
from makima.services.control_loop.loop import ControlLoop
from makima.services.supervision.fleet_rates import FleetRates
from makima.services.supervision.life_steps import LifeSteps
from makima.services.supervision.liveness_watch import LivenessWatch, Watched
from makima.services.supervision.supervisor_cache import Carrier, Name, Silent, SupervisorCache
from makima.services.supervision.supervisor_comparison import Seen, compare_supervisors
from makima.services.supervision.supervisor_look import SupervisePorts, SupervisorLook

log = logging.getLogger(__name__)


class Supervise:
    """Drives all supervisors.

    Attributes:
        on_missed: called with what the watch of Supervisors did not show, for whoever else goes by that watch.
    """

    def __init__(
        self, ports: SupervisePorts, steps: LifeSteps, cache: SupervisorCache, watch: LivenessWatch, rates: FleetRates
    ) -> None:
        self._ports, self.cache, self._watch, self._rates = ports, cache, watch, rates
        self._look = SupervisorLook(ports, steps, watch, rates)
        self._look.again, self._look.later = self._put, self._later
        self.loop = ControlLoop(self._look_at, ports.clock)
        self._contracts: dict[Name, Contract] = {}
        self._pods_known = self._listed = False
        self.on_report: Callable[[str], None] = lambda _uid: None
        self.on_missed: Seen = lambda _kind, _body: None
        watch.on_dead = lambda item, dead: self._silent(item, dead.since)

    # What was seen

    def reports(self, uid: str) -> tuple[Report, ...]:  # noqa: ARG002  # as every companion
        """Supervisors reach contracts by their resource."""
        return ()

    def at_rest(self, contract: Contract, body: JsonObject) -> None:  # noqa: ARG002  # as every companion
        """A contract is at rest."""
        name = (contract.metadata.namespace, contract.metadata.name)
        if not self._concerns(name, contract):
            return
        before = self._contracts.get(name)
        if before is not None and before.metadata.resource_version == contract.metadata.resource_version:
            return
        self._contracts[name] = contract
        self.cache.at(name)
        self._put(name)

    def _concerns(self, name: Name, contract: Contract) -> bool:
        """Whether it has, had or wants a supervisor; the others cost neither a look nor memory."""
        had = contract.status is not None and contract.status.supervisor_ref is not None
        return contract.spec.supervisor is not None or had or self.cache.get(name) is not None

    def contract_gone(self, key: ObjectKey) -> None:
        """A contract is gone; what was made from it goes with it."""
        name = (key.namespace, key.name)
        known = self._contracts.get(name)
        if known is not None and known.metadata.uid == key.uid:
            del self._contracts[name]
        self._watch.ignore(UUID(key.uid))
        self._put(name)

    def see_supervisor(self, kind: str | None, body: JsonObject) -> None:
        """The watch saw a Supervisor."""
        carrier = self.cache.see_gone(body) if kind == "DELETED" else self.cache.see(body)
        if carrier is not None:
            self._put(carrier.name)

    def see_pod(self, kind: str | None, body: JsonObject) -> None:
        """The watch saw a pod."""
        pod = read_pod(body)
        if pod is not None:
            self._put(self.cache.see_pod(pod, gone=kind == "DELETED").name)

    def see_session(self, session: Session) -> None:
        """The row of a supervisor was written; one that only shows more is looked at within the budget."""
        carrier = self.cache.get((session.namespace, session.name))
        before = carrier.session if carrier is not None else None
        kept = self.cache.keep_session(session)
        if kept is None:
            return
        self._hear(kept, session)
        if before is None or _matters(before) != _matters(session):
            self._put(kept.name)
        elif kept.shown_at is None or before != session:
            self._later(kept, self._rates.write_at(kept, self._ports.clock.now()))

    def _hear(self, carrier: Carrier, session: Session) -> None:
        at = session.last_heartbeat_at if session.sequence else None
        if at is None:
            return
        self._watch.heard(session.contract_id, session.incarnation, at)
        if carrier.silent is not None and at > carrier.silent.since:
            carrier.silent = None
            self._put(carrier.name)

    def _silent(self, item: Watched, since: datetime) -> None:
        carrier = self.cache.get(item.name)
        if carrier is None:
            return
        carrier.silent = Silent(item.incarnation, since)
        if carrier.body is not None:
            text = f"Life {item.incarnation}: nothing was heard since {since.isoformat(timespec='seconds')}"
            notice = Notice(EventReason.SUPERVISOR_SILENT, text, warning=True)
            self._ports.events.publish(carrier.body, notice, self._ports.clock.now())
        self._put(carrier.name)

    # The loop

    def start(self) -> None:
        """Begin to work; nothing is decided before the pods are listed."""
        self.loop.start(self._listen_all(), self._list_first())

    async def stop(self) -> None:
        """End; whoever leads next goes on from what is stored."""
        await self.loop.stop()

    def waiting(self) -> int:
        """How many supervisors wait to be looked at."""
        return len(self.loop.queue)

    async def compare(self) -> None:
        """Compare the supervisors and pods that are known with those that there are.

        The first time without supervisors: the watch may be about to list them then.

        Raises:
            ClusterError: a list is not to be had.
        """
        if self._listed:
            await compare_supervisors(self._ports.supervisors, self.cache, self._missed)
        self._listed = True
        await self._compare_pods()

    def _missed(self, kind: str | None, body: JsonObject) -> None:
        self.see_supervisor(kind, body)
        self.on_missed(kind, body)

    async def _compare_pods(self) -> None:
        known = self.cache.pod_uids()
        there = [pod for body in await self._ports.pods.list_pods() if (pod := read_pod(body)) is not None]
        for pod in there:
            carrier = self.cache.see_pod(pod, gone=False)
            if pod.pod.uid not in known:
                self._put(carrier.name)
        for uid in known - {pod.pod.uid for pod in there}:
            carrier_without = self.cache.drop_pod(uid)
            if carrier_without is not None:
                self._put(carrier_without.name)

    async def _list_first(self) -> None:
        while True:
            try:
                await self._compare_pods()
                break
            except ClusterError as error:
                log.warning("the pods of supervisors can't be listed yet: %s", error)
                await asyncio.sleep(1)
        self._pods_known = True
        for carrier in self.cache.carriers():
            self._put(carrier.name)

    def _put(self, name: Name) -> None:
        self.loop.queue.put("/".join(name))

    def _later(self, carrier: Carrier, moment: datetime | None) -> None:
        """Look again then, unless a look is due before."""
        key = "/".join(carrier.name)
        known = self.loop.deadlines.get(key)
        if moment is not None and (known is None or moment < known):
            self.loop.deadlines.set(key, moment)

    async def _listen_all(self) -> None:
        """Beside the other sweep: Postgres may take its time to answer."""
        while True:
            await self._watch.sweep()
            await asyncio.sleep(self.loop.sweep_seconds)

    async def _look_at(self, key: str) -> None:
        namespace, _, name = key.partition("/")
        await self.look((namespace, name))

    async def look(self, name: Name) -> None:
        """Look at one supervisor now; never raises."""
        carrier, contract = self.cache.get(name), self._contracts.get(name)
        if carrier is None or not self._pods_known:
            return
        if contract is None:
            self._forget_idle(carrier)
            return
        self.loop.deadlines.set("/".join(name), None)
        await self._look.look(carrier, contract)

    def _forget_idle(self, carrier: Carrier) -> None:
        if carrier.body is None and not carrier.pods:
            self.cache.forget(carrier.name)


def _matters(session: Session) -> tuple[object, ...]:
    """What reaches the resource at once."""
    return (
        session.incarnation,
        session.registration_id,
        session.pod_uid,
        session.state,
        session.phase,
        session.error_message,
        session.restored_at,
    )
