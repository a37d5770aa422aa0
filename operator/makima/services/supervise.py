"""Supervisors, level-triggered: look at everything that is known of one, decide, take one step; again until at rest.

The flow `timer → overdue? → restart → restore` runs through here: `LivenessWatch` finds the silent ones, the decision
(`makima.domain.supervision`) says what follows, `LifeSteps` does it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid5

from pydantic import ValidationError

from makima.domain.backoff import retry_delay
from makima.domain.notices import Notice
from makima.domain.pod_reading import read_pod
from makima.domain.reasons import EventReason
from makima.domain.states import FINISHED
from makima.domain.supervision import decide_supervisor
from makima.domain.supervision_steps import (
    Allocate,
    AskRestart,
    CreatePod,
    DeletePod,
    NamePod,
    Seen,
    Step,
    SupervisorDecision,
    WriteStatus,
)
from makima.domain.supervisor_manifest import changed_spec
from makima.domain.supervisor_status import quiet_difference
from makima.domain.told import Report
from makima.errors import ClusterError, Denied, MakimaError
from makima.models.contract import Contract
from makima.models.enums import CommandKind
from makima.models.supervision import Session, StoredCommand
from makima.models.supervisor import Supervisor, SupervisorStatus
from makima.ports import Clock, EventSink, JsonObject, ObjectKey, Pods
from makima.services.deadline_index import DeadlineIndex
from makima.services.fleet_rates import FleetRates
from makima.services.life_steps import LifeSteps, OutOfDateError
from makima.services.liveness_watch import LivenessWatch, Watched
from makima.services.supervisor_cache import Carrier, Name, Silent, SupervisorCache
from makima.services.work_queue import WorkQueue
from makima.stores import CommandStore

WORKERS = 16
STEPS = 20
"""Steps in one look before the others get their turn."""

SWEEP_SECONDS = 0.25

log = logging.getLogger(__name__)


class SupervisionMetrics(Protocol):
    """What is counted of supervisors."""

    def supervisor_restarted(self, reason: str) -> None:
        """One more `supervisor_restarts_total`."""
        ...

    def supervisor_restored(self, outcome: str) -> None:
        """One more `supervisor_restorations_total`."""
        ...


@dataclass(frozen=True, slots=True)
class SupervisePorts:
    """Everything that looks at supervisors talk to, besides the steps."""

    pods: Pods
    commands: CommandStore
    events: EventSink
    metrics: SupervisionMetrics
    clock: Clock


class Supervise:
    """Drives all supervisors."""

    def __init__(
        self, ports: SupervisePorts, steps: LifeSteps, cache: SupervisorCache, watch: LivenessWatch, rates: FleetRates
    ) -> None:
        self._ports, self._steps, self.cache, self._watch, self._rates = ports, steps, cache, watch, rates
        self._queue, self._deadlines = WorkQueue(), DeadlineIndex()
        self._contracts: dict[Name, Contract] = {}
        self._pods_known = False
        self._tasks: list[asyncio.Task[None]] = []
        self.on_report: Callable[[str], None] = lambda _uid: None
        watch.on_dead = lambda item, dead: self._silent(item, dead.since)

    # What was seen

    def reports(self, uid: str) -> tuple[Report, ...]:  # noqa: ARG002  # as every companion
        """Supervisors reach contracts by their resource."""
        return ()

    def at_rest(self, contract: Contract, body: JsonObject) -> None:  # noqa: ARG002  # as every companion
        """A contract is at rest."""
        name = (contract.metadata.namespace, contract.metadata.name)
        before = self._contracts.get(name)
        if before is not None and before.metadata.resource_version == contract.metadata.resource_version:
            return
        self._contracts[name] = contract
        self.cache.at(name)
        self._put(name)

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
        jobs: list[Coroutine[Any, Any, None]] = [self._work() for _ in range(WORKERS)]
        jobs += [self._sweep(), self._listen_all(), self._list_first()]
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def stop(self) -> None:
        """End; whoever leads next goes on from what is stored."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def waiting(self) -> int:
        """How many supervisors wait to be looked at."""
        return len(self._queue)

    async def compare(self) -> None:
        """Compare the pods that are known with those that there are.

        Raises:
            ClusterError: the list is not to be had.
        """
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
                await self.compare()
                break
            except ClusterError as error:
                log.warning("the pods of supervisors can't be listed yet: %s", error)
                await asyncio.sleep(1)
        self._pods_known = True
        for carrier in self.cache.carriers():
            self._put(carrier.name)

    def _put(self, name: Name) -> None:
        self._queue.put("/".join(name))

    def _later(self, carrier: Carrier, moment: datetime | None) -> None:
        """Look again then, unless a look is due before."""
        key = "/".join(carrier.name)
        known = self._deadlines.get(key)
        if moment is not None and (known is None or moment < known):
            self._deadlines.set(key, moment)

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                namespace, _, name = key.partition("/")
                await self.look((namespace, name))
            finally:
                self._queue.done(key)

    async def _sweep(self) -> None:
        while True:
            for key in self._deadlines.due(self._ports.clock.now()):
                self._queue.put(key)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _listen_all(self) -> None:
        """Beside the other sweep: Postgres may take its time to answer."""
        while True:
            await self._watch.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    # One look

    async def look(self, name: Name) -> None:
        """Look at one supervisor, and act until nothing is left to do now. Errors become a later look; never raises."""
        carrier, contract = self.cache.get(name), self._contracts.get(name)
        if carrier is None or not self._pods_known:
            return
        if contract is None:
            self._forget_idle(carrier)
            return
        self._deadlines.set("/".join(name), None)
        try:
            await self._act(carrier, contract)
            carrier.failures = 0
        except OutOfDateError as error:
            log.debug("supervisor %s/%s: looked at again: %s", *name, error)
            self._put(name)
        except MakimaError as error:
            self._failed(carrier, error)
        except ValidationError as error:
            log.error("supervisor %s/%s is unreadable: %s", *name, error.errors()[0]["msg"])  # noqa: TRY400
        except Exception:  # a bug must not stop the other supervisors; it is logged whole and retried
            log.exception("supervisor %s/%s: unexpected error", *name)
            self._later(carrier, self._ports.clock.now() + timedelta(seconds=30))

    def _forget_idle(self, carrier: Carrier) -> None:
        if carrier.body is None and not carrier.pods:
            self.cache.forget(carrier.name)

    def _failed(self, carrier: Carrier, error: MakimaError) -> None:
        carrier.failures += 1
        log.warning("supervisor %s/%s: %s", *carrier.name, error)
        if isinstance(error, Denied) and carrier.body is not None:
            notice = Notice(EventReason.POD_NOT_STARTED, str(error), warning=True)
            self._ports.events.publish(carrier.body, notice, self._ports.clock.now())
        longest = 300.0 if isinstance(error, Denied) else 30.0
        delay = timedelta(seconds=retry_delay(carrier.failures, longest=longest))
        self._later(carrier, self._ports.clock.now() + delay)

    async def _act(self, carrier: Carrier, contract: Contract) -> None:
        if not await self._made(carrier, contract):
            return
        for _ in range(STEPS):
            seen = await self._gather(carrier, contract)
            decision = decide_supervisor(seen)
            self._listen(seen, decision)
            if decision.step is None or not await self._take(carrier, seen, decision.step):
                self._later(carrier, decision.wake_at)
                return
        self._put(carrier.name)

    async def _made(self, carrier: Carrier, contract: Contract) -> bool:
        """Whether there is a Supervisor, made and kept as the contract says."""
        if carrier.body is None:
            over = contract.status is None or contract.status.state in FINISHED or contract.metadata.deleting
            if over or contract.spec.supervisor is None:
                return False
            await self._steps.create_supervisor(contract)
            return carrier.body is not None
        changed = changed_spec(Supervisor.model_validate(carrier.body), contract)
        if changed is not None:
            await self._steps.change_spec(carrier, changed)
        return carrier.body is not None

    async def _gather(self, carrier: Carrier, contract: Contract) -> Seen:
        if carrier.body is None:
            raise OutOfDateError("it is gone")
        contract_id = UUID(contract.metadata.uid)
        supervisor = Supervisor.model_validate(carrier.body)
        status, pods = supervisor.status, carrier.own_pods()
        if self._stale(carrier, contract_id, status):
            await self._steps.read_session(contract_id, carrier)
        if status is not None and status.pod_uid and status.pod_uid not in {pod.uid for pod in pods}:
            await self._steps.find_pod(carrier, status.pod_name or "")
            pods = carrier.own_pods()
        lives = status.incarnation if status is not None else None
        silent = carrier.silent.since if carrier.silent is not None and carrier.silent.incarnation == lives else None
        session = carrier.session if carrier.session and carrier.session.contract_id == contract_id else None
        return Seen(contract, supervisor, pods, session, silent, self._ports.clock.now())

    def _stale(self, carrier: Carrier, contract_id: UUID, status: SupervisorStatus | None) -> bool:
        """Whether Postgres has to be asked: a row that is behind the status may only be an old picture of it."""
        session, lives = carrier.session, (status.incarnation if status is not None else None) or 0
        if session is None or session.contract_id != contract_id:
            return not carrier.session_read or session is not None or lives > 0
        return session.incarnation < lives

    def _listen(self, seen: Seen, decision: SupervisorDecision) -> None:
        contract_id = UUID(seen.contract.metadata.uid)
        wanted, meta = decision.listen, seen.supervisor.metadata
        if wanted is None:
            self._watch.ignore(contract_id)
        else:
            name = (meta.namespace, meta.name)
            self._watch.expect(Watched(contract_id, name, wanted.incarnation, wanted.heard, wanted.timeout))

    async def _take(self, carrier: Carrier, seen: Seen, step: Step) -> bool:
        """Take one step; False if it has to wait, and nothing else is to be done now."""
        match step:
            case WriteStatus():
                return await self._write(carrier, seen, step)
            case Allocate(after):
                return await self._begin(carrier, seen, after)
            case DeletePod(pod, at_once):
                await self._steps.delete_pod(carrier, pod, at_once=at_once)
                return False  # the watch says when it is going, and when it is gone
            case CreatePod(incarnation):
                await self._steps.create_pod(carrier, seen.contract, incarnation)
            case NamePod(incarnation, pod):
                await self._steps.name_pod(carrier, seen.contract, incarnation, pod.uid)
            case AskRestart():
                await self._ask_restart(carrier, seen, step)
        return True

    async def _begin(self, carrier: Carrier, seen: Seen, after: int) -> bool:
        now = self._ports.clock.now()
        if after:
            moment = self._rates.restart_at(carrier, after, now)
            if moment > now:
                self._later(carrier, moment)
                return False
        await self._steps.allocate(carrier, seen.contract, after)
        return True

    async def _write(self, carrier: Carrier, seen: Seen, step: WriteStatus) -> bool:
        now = self._ports.clock.now()
        if seen.supervisor.status is not None and quiet_difference(seen.supervisor.status, step.status):
            moment = self._rates.write_at(carrier, now)
            if moment > now:
                self._later(carrier, moment)
                return False
        await self._steps.write_status(carrier, step.status)
        carrier.shown_at, carrier.budgeted = now, None
        self._tell(carrier, seen.supervisor.status, step, now)
        return True

    def _tell(self, carrier: Carrier, before: SupervisorStatus | None, step: WriteStatus, now: datetime) -> None:
        if step.restarted is not None:
            self._ports.metrics.supervisor_restarted(step.restarted)
        restored = step.status.restoration
        known = before.restoration if before is not None else None
        if restored is not None and (known is None or known.time != restored.time):
            self._ports.metrics.supervisor_restored(restored.outcome.snake)
            text = f"{restored.outcome}: {restored.message or ''}"
            notice = Notice(EventReason.SUPERVISOR_RESTORED, text)
            self._ports.events.publish(carrier.body or {}, notice, now)
        if step.notice is not None:
            self._ports.events.publish(carrier.body or {}, step.notice, now)

    async def _ask_restart(self, carrier: Carrier, seen: Seen, step: AskRestart) -> None:
        contract_id, now = UUID(seen.contract.metadata.uid), self._ports.clock.now()
        identity = uuid5(contract_id, f"restart:{step.incarnation}:{step.reason}")
        command = StoredCommand(identity, contract_id, CommandKind.RESTART, now, {"reason": step.reason})
        await self._ports.commands.put([command])
        await self._steps.write_status(carrier, step.status)


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
