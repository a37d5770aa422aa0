"""One look at a supervisor: gather what is known of it, decide, take one step; again until it is at rest."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from pydantic import ValidationError

from makima.domain.backoff import retry_delay
from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.domain.reconcile.states import FINISHED
from makima.domain.supervision.next_step import decide_supervisor
from makima.domain.supervision.steps import (
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
from makima.domain.supervision.supervisor_status import quiet_difference
from makima.errors import Denied, HistoryUnavailable, MakimaError
from makima.models.contract import Contract
from makima.models.enums import CommandKind, SupervisorState
from makima.models.supervision import StoredCommand
from makima.ports import Clock, EventSink, Pods, Supervisors
from makima.services.supervision.fleet_rates import FleetRates
from makima.services.supervision.gathering import Gathering
from makima.services.supervision.life_steps import LifeSteps, OutOfDateError
from makima.services.supervision.liveness_watch import LivenessWatch, Watched
from makima.services.supervision.status_news import StatusNews, SupervisionMetrics
from makima.services.supervision.supervisor_cache import Carrier, Name
from makima.stores import CommandStore

STEPS = 20
"""Steps in one look before the others get their turn."""

FOUND = frozenset({SupervisorState.FAILED, SupervisorState.INTERRUPTED})
"""States in which the operator finds a supervisor that can't say so itself."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SupervisePorts:
    """Everything that looks at supervisors talk to, besides the steps."""

    supervisors: Supervisors
    pods: Pods
    commands: CommandStore
    events: EventSink
    metrics: SupervisionMetrics
    clock: Clock


class SupervisorLook:
    """Looks at one supervisor at a time.

    Attributes:
        again: called with the name of a supervisor that has to be looked at again at once.
        later: called with a supervisor and the moment at which it has to be looked at again at the latest.
    """

    def __init__(self, ports: SupervisePorts, steps: LifeSteps, watch: LivenessWatch, rates: FleetRates) -> None:
        self._ports, self._steps, self._watch, self._rates = ports, steps, watch, rates
        self._gathering = Gathering(steps, ports.clock)
        self._news = StatusNews(ports.events, ports.metrics)
        self.again: Callable[[Name], None] = lambda _name: None
        self.later: Callable[[Carrier, datetime | None], None] = lambda _carrier, _moment: None

    async def look(self, carrier: Carrier, contract: Contract) -> None:
        """Act until nothing is left to do now. Errors become a later look; never raises."""
        name = carrier.name
        try:
            await self._act(carrier, contract)
            carrier.failures = 0
        except OutOfDateError as error:
            log.debug("supervisor %s/%s: looked at again: %s", *name, error)
            self.again(name)
        except MakimaError as error:
            self._failed(carrier, error)
        except ValidationError as error:
            log.error("supervisor %s/%s is unreadable: %s", *name, error.errors()[0]["msg"])  # noqa: TRY400  # bad input, no bug
        except Exception:  # a bug must not stop the other supervisors; it is logged whole and retried
            log.exception("supervisor %s/%s: unexpected error", *name)
            self.later(carrier, self._ports.clock.now() + timedelta(seconds=30))

    def _failed(self, carrier: Carrier, error: MakimaError) -> None:
        carrier.failures += 1
        log.warning("supervisor %s/%s: %s", *carrier.name, error)
        if isinstance(error, Denied) and carrier.body is not None:
            notice = Notice(EventReason.POD_NOT_STARTED, str(error), warning=True)
            self._ports.events.publish(carrier.body, notice, self._ports.clock.now())
        longest = 300.0 if isinstance(error, Denied) else 30.0
        delay = timedelta(seconds=retry_delay(carrier.failures, longest=longest))
        self.later(carrier, self._ports.clock.now() + delay)

    async def _act(self, carrier: Carrier, contract: Contract) -> None:
        if not await self._made(carrier, contract):
            return
        for _ in range(STEPS):
            seen = await self._gathering.seen(carrier, contract)
            decision = decide_supervisor(seen)
            self._listen(seen, decision)
            await self._judge(seen, decision)
            if decision.step is None or not await self._take(carrier, seen, decision.step):
                self.later(carrier, decision.wake_at)
                return
        self.again(carrier.name)

    async def _judge(self, seen: Seen, decision: SupervisorDecision) -> None:
        """Once the status says it: what the operator found, and no heartbeat tells, is in Postgres too."""
        status, session = seen.supervisor.status, seen.own
        if isinstance(decision.step, WriteStatus) or status is None or session is None:
            return
        if status.state not in FOUND or status.state is session.state or status.incarnation != session.incarnation:
            return
        try:
            await self._steps.judge(session.contract_id, session.incarnation, status.state)
        except HistoryUnavailable:
            if decision.step is None:  # else it must not hold up what can be done without Postgres
                raise

    async def _made(self, carrier: Carrier, contract: Contract) -> bool:
        """Whether there is a Supervisor, made and kept as the contract says."""
        if carrier.body is None:
            over = contract.status is None or contract.status.state in FINISHED or contract.metadata.deleting
            if over or contract.spec.supervisor is None:
                return False
            await self._steps.create_supervisor(contract)
            return carrier.body is not None
        await self._steps.keep_spec(carrier, contract)
        return carrier.body is not None

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
                self.later(carrier, moment)
                return False
        await self._steps.allocate(carrier, seen.contract, after)
        return True

    async def _write(self, carrier: Carrier, seen: Seen, step: WriteStatus) -> bool:
        now = self._ports.clock.now()
        if seen.supervisor.status is not None and quiet_difference(seen.supervisor.status, step.status):
            moment = self._rates.write_at(carrier, now)
            if moment > now:
                self.later(carrier, moment)
                return False
        await self._steps.write_status(carrier, step.status)
        carrier.shown_at, carrier.budgeted = now, None
        self._news.tell(carrier, seen.supervisor.status, step, now)
        return True

    async def _ask_restart(self, carrier: Carrier, seen: Seen, step: AskRestart) -> None:
        contract_id, now = UUID(seen.contract.metadata.uid), self._ports.clock.now()
        payload = {"reason": step.reason, "incarnation": step.incarnation}
        identity = uuid5(contract_id, f"restart:{step.incarnation}:{step.reason}")
        command = StoredCommand(identity, contract_id, CommandKind.RESTART, now, payload)
        await self._ports.commands.put([command])
        await self._steps.write_status(carrier, step.status)
