"""Operators that drive supervisors, among fakes and under a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from makima.domain.settings import Settings
from makima.domain.supervision.heartbeat_times import HeartbeatTimes
from makima.models.enums import SupervisorState
from makima.models.supervision import Span
from makima.ports import JsonObject
from makima.services.reconcile.operator import ContractOperator
from makima.services.reconcile.reconciler import Ports
from makima.services.supervision.contract_knowledge import ContractKnowledge
from makima.services.supervision.fleet_rates import FleetLimits, FleetRates
from makima.services.supervision.life_steps import LifePorts, LifeSteps
from makima.services.supervision.liveness_watch import LivenessWatch
from makima.services.supervision.supervise import Supervise
from makima.services.supervision.supervisor_cache import SupervisorCache
from makima.services.supervision.supervisor_look import SupervisePorts
from tests.support.fake_lives import FakeLives
from tests.support.fake_supervision import FakeSupervision
from tests.support.fakes import START, FakeClock, FakeCluster, FakeEvents, FakeHistory, FakeMetrics, FakeValidators

SWEEP_SECONDS = 0.01
"""Deadlines are looked at often: the clock jumps, and nobody wants to wait."""

TEMPLATE = {"containers": [{"name": "agent", "image": "agent:1"}]}
PHASES = [{"name": "one", "deliverables": [{"id": "doc"}]}, {"name": "two"}]
ENDED = ("Succeeded", "Failed")


@dataclass
class Counted:
    """Counts."""

    restarts: list[str] = field(default_factory=list)
    restorations: list[str] = field(default_factory=list)
    given_up: int = 0

    def supervisor_restarted(self, reason: str) -> None:
        self.restarts.append(reason)

    def supervisor_restored(self, outcome: str) -> None:
        self.restorations.append(outcome)

    def supervisor_given_up(self) -> None:
        self.given_up += 1


class World:
    """What operators share: clusters, Postgres, time."""

    def __init__(self) -> None:
        self.clock, self.cluster, self.history = FakeClock(), FakeCluster(), FakeHistory()
        self.lives, self.postgres = FakeLives(), FakeSupervision()
        self.lives.now, self.heartbeats = self.clock.now, HeartbeatTimes()
        self.events, self.counted, self.metrics = FakeEvents(), Counted(), FakeMetrics()
        self.operators: list[Driver] = []
        self.cluster.on_change = self._contract_changed
        self.lives.watchers.append(self._life_changed)
        self.covered(-60, 10**6)

    def covered(self, start: float, until: float) -> None:
        """The ingest was there."""
        span = Span(START + timedelta(seconds=start), START + timedelta(seconds=until))
        self.postgres.spans_by_start[span.started_at] = span

    def _contract_changed(self, kind: str, body: JsonObject) -> None:
        for driver in self.operators:
            driver.operator.see_contract(kind, body)

    def _life_changed(self, what: str, kind: str, body: JsonObject) -> None:
        for driver in self.operators:
            driver.see(what, kind, body)

    async def lead(self, limits: FleetLimits | None = None) -> Driver:
        """One more operator; it is shown everything that there is, as a first listing does."""
        driver = Driver(self, limits or FleetLimits())
        driver.operator.start()
        for body in list(self.cluster.objects.values()):
            driver.operator.see_contract(None, body)
        for body in list(self.lives.supervisors.values()):
            driver.see("Supervisor", "ADDED", body)
        self.operators.append(driver)
        await asyncio.sleep(0)
        return driver

    async def end(self, driver: Driver) -> None:
        """The operator is killed."""
        if driver in self.operators:
            self.operators.remove(driver)
        await driver.operator.stop()

    def create(self, name: str = "a", template: JsonObject | None = None, **supervisor: Any) -> UUID:
        """Somebody applies a contract with a supervisor."""
        settings = {"template": template or TEMPLATE, **supervisor}
        body = self.cluster.create(name, {"phases": PHASES, "supervisor": settings})
        return UUID(body["metadata"]["uid"])

    def external(self, name: str = "a", **spec: Any) -> UUID:
        """Somebody applies a contract, and a Supervisor without a template."""
        contract = self.unsupervised(name)
        self.apply_supervisor(name, **spec)
        return contract

    def unsupervised(self, name: str = "a") -> UUID:
        """Somebody applies a contract that says nothing of a supervisor."""
        return UUID(self.cluster.create(name, {"phases": PHASES})["metadata"]["uid"])

    def apply_supervisor(self, name: str = "a", **spec: Any) -> None:
        """Somebody applies a Supervisor without a template."""
        uid = f"00000000-0000-4000-b000-{len(self.lives.supervisors):012d}"
        meta = {"name": name, "namespace": "ns", "uid": uid, "generation": 1}
        made = {"apiVersion": "makima.dev/v1alpha1", "kind": "Supervisor", "metadata": meta, "spec": spec}
        self.lives._changed(self.lives.supervisors, "ADDED", made)  # the fake's own world

    def status(self, name: str = "a") -> JsonObject:
        """Supervisor.status."""
        found: JsonObject = self.lives.supervisors.get(("ns", name), {}).get("status") or {}
        return found

    def alive(self, name: str = "a") -> str:
        """Reason of the condition Alive."""
        conditions = self.status(name).get("conditions", [])
        return next((str(item["reason"]) for item in conditions if item["type"] == "Alive"), "")

    def state(self, name: str = "a") -> str:
        """State of the contract."""
        status = self.cluster.objects["ns", name].get("status") or {}
        return str(status.get("state", ""))

    def pods(self) -> list[str]:
        """Names of the pods that run, or will: neither ended nor on their way out."""
        there = [body for body in self.lives.pods.values() if (body.get("status") or {}).get("phase") not in ENDED]
        return sorted(body["metadata"]["name"] for body in there if not body["metadata"].get("deletionTimestamp"))

    # What supervisors and the API service do

    def register(self, contract: UUID) -> None:
        """The current life registers."""
        row = self.postgres.rows[contract]
        self.write(contract, registration_id=uuid4(), registered_at=self.clock.now(), incarnation=row.incarnation)

    def ask(self, name: str = "a", number: int = 1) -> str:
        """The API service takes a question."""
        identity = str(UUID(int=number))
        asked = {"id": identity, "question": "Which?", "type": "free-text", "phase": "one"}
        asked["askedTime"] = self.clock.now().isoformat()
        self.cluster.patch_status(name, {"questions": [asked]})
        return identity

    def told(self) -> list[str]:
        """Kinds of the commands that were stored, in order."""
        return [item.kind.value for item in self.postgres.commands.values()]

    def beat(self, contract: UUID, **fields: Any) -> None:
        """A heartbeat reaches the row."""
        row = self.postgres.rows[contract]
        fields.setdefault("state", SupervisorState.WORKING)
        self.write(contract, sequence=row.sequence + 1, last_heartbeat_at=self.clock.now(), phase="one", **fields)

    def write(self, contract: UUID, **fields: Any) -> None:
        """The row is written, and announced."""
        row = replace(self.postgres.rows[contract], updated_at=self.clock.now(), **fields)
        self.postgres.rows[contract] = row
        for driver in self.operators:
            driver.supervise.see_session(row)

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        """Let the operators work until the condition holds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"not so: {self.lives.calls} {self.status()}"
            await asyncio.sleep(0.005)

    async def until_quiet(self) -> None:
        """Let the operators work until nothing is left to do at this moment."""
        for _ in range(3):
            before = -1
            while before != len(self.lives.calls) or any(driver.busy() for driver in self.operators):
                before = len(self.lives.calls)
                await asyncio.sleep(0.03)
            await asyncio.sleep(3 * SWEEP_SECONDS)

    async def until_quiet_but_for_the_history(self) -> None:
        """The same, while nothing can be recorded."""
        for _ in range(20):
            await asyncio.sleep(0.03)
            if not any(len(driver.operator.queue) or driver.supervise.waiting() for driver in self.operators):
                return

    async def pass_time(self, seconds: float) -> None:
        """Time passes, and what is due is done."""
        self.clock.advance(seconds=seconds)
        await self.until_quiet()


class Driver:
    """One operator in the world."""

    def __init__(self, world: World, limits: FleetLimits) -> None:
        clock, postgres = world.clock, world.postgres
        validators = FakeValidators(clock)
        ports = Ports(world.cluster, world.events, validators, world.metrics, clock)
        self.operator = ContractOperator(ports, world.history, Settings(), timedelta(hours=1))
        cache = SupervisorCache()
        steps = LifeSteps(LifePorts(world.lives, world.lives, postgres), cache, "http://api.test", world.heartbeats)
        watch = LivenessWatch(postgres, postgres, clock)
        mine = SupervisePorts(world.lives, world.lives, postgres, world.events, world.counted, clock)
        self.supervise = Supervise(mine, steps, cache, watch, FleetRates(limits, clock.now()))
        self.operator.loop.sweep_seconds = self.supervise.loop.sweep_seconds = SWEEP_SECONDS
        self.supervise.on_missed = self.operator.see_supervisor
        self.operator.accompany(self.supervise)
        self.operator.ask(ContractKnowledge(postgres, postgres, cache, Settings(), clock))
        self.operator.recorder.commands = postgres

    def see(self, what: str, kind: str, body: JsonObject) -> None:
        """The watches."""
        if what == "Pod":
            self.supervise.see_pod(kind, body)
        else:
            self.operator.see_supervisor(kind, body)
            self.supervise.see_supervisor(kind, body)

    def busy(self) -> bool:
        """Whether something is left to do now."""
        return bool(len(self.operator.queue) or self.supervise.waiting() or self.operator.recorder.waiting())


async def running(world: World, **settings: object) -> UUID:
    """A supervisor whose first life is registered and heard of."""
    contract = world.create("a", **settings)
    await world.until(lambda: world.alive() == "Starting")
    world.lives.runs(world.pods()[0])
    world.register(contract)
    world.beat(contract)
    await world.until(lambda: world.alive() == "Heartbeating" and world.status()["state"] == "Working")
    await world.until(lambda: world.state() == "Active")
    return contract
