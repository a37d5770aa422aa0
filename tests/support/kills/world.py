"""An operator, two API replicas and a Postgres, each of which is started again whenever it is killed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from makima import database
from makima.sandbox import Sandbox
from makima.sandbox.postgres import LocalPostgres
from tests.support.api_process import API_USER, ApiUnderTest
from tests.support.connected import connected
from tests.support.driven import Driven
from tests.support.kills.crossing import Crossing
from tests.support.kills.plans import Kill, Victim
from tests.support.kills.run import Run
from tests.support.kills.supervisors import Supervisors
from tests.support.kube import Person
from tests.support.operator_process import OPERATOR_USER, OperatorUnderTest
from tests.support.own_postgres import own_server
from tests.support.own_process import MAKIMA_GROUPS, ProcessUnderTest

BACK_SECONDS = 180
"""Within which a process that was killed is ready again, on a machine that is busy with others."""


@dataclass
class World:
    """Everything that can be killed.

    Attributes:
        kills: those that happened.
        away: seconds until a victim was back, each time.
    """

    sandbox: Sandbox
    postgres: LocalPostgres
    database_url: str
    apis: Sequence[ApiUnderTest]
    operator: OperatorUnderTest
    driven: Driven
    supervisors: Supervisors
    crossing: Crossing
    kills: list[Kill] = field(default_factory=list)
    away: dict[Victim, list[float]] = field(default_factory=dict)
    _locks: dict[Victim, asyncio.Lock] = field(default_factory=dict)
    _recoveries: set[asyncio.Task[None]] = field(default_factory=set)

    def replicas(self) -> list[str]:
        """The API replicas that are there."""
        return [api.url for api in self.apis if api.running and "api" in api.ports]

    async def kill(self, run: Run, kill: Kill, life: int | None) -> None:
        """SIGKILL; returns once the victim is dead. One that is just coming back is waited for."""
        if kill.victim in {"process", "pod"}:
            await self.supervisors.kill(run.name, life, whole_pod=kill.victim == "pod")
            run.ended = (kill.victim, time.monotonic())
        else:
            await self._kill(kill.victim)
        self.kills.append(kill)

    def back(self, victim: Victim, since: float) -> None:
        """It is there again; it had been killed at this moment (`time.monotonic()`)."""
        self.away.setdefault(victim, []).append(time.monotonic() - since)

    async def _kill(self, victim: Victim) -> None:
        lock = self._locks.setdefault(victim, asyncio.Lock())
        await lock.acquire()
        recovery = asyncio.create_task(self._killed_and_back(victim, killed := asyncio.Event(), lock))
        self._recoveries.add(recovery)
        recovery.add_done_callback(self._recoveries.discard)
        waiting = asyncio.create_task(killed.wait())
        await asyncio.wait({waiting, recovery}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if recovery.done():
            recovery.result()

    async def _killed_and_back(self, victim: Victim, killed: asyncio.Event, lock: asyncio.Lock) -> None:
        since = time.monotonic()
        try:
            await self._kill_and_await(victim, killed)
            self.back(victim, since)
        finally:
            lock.release()

    async def _kill_and_await(self, victim: Victim, killed: asyncio.Event) -> None:
        if victim == "postgres":
            await asyncio.to_thread(self.postgres.server.kill)
            killed.set()
            await asyncio.to_thread(self.postgres.server.start)
            return
        processes: Sequence[ProcessUnderTest] = self.apis if victim == "api" else (self.operator,)
        for process in processes:
            await asyncio.to_thread(process.kill)
        killed.set()
        for process in processes:
            await ready(process)

    async def settle(self) -> None:
        """Wait until everybody is back.

        Raises:
            AssertionError: somebody did not come back.
        """
        for recovery in list(self._recoveries):
            await recovery


async def ready(process: ProcessUnderTest) -> None:
    """Wait until a process that is kept running is ready; it may end on the way there, while something else is away."""
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        with contextlib.suppress(OSError, KeyError):
            if process.running and process.knows_ports() and (await asyncio.to_thread(_readiness, process)) == 200:
                return
        assert time.monotonic() < deadline, f"it is not back after {BACK_SECONDS} s: {process.log.read_text()[-3000:]}"
        await asyncio.sleep(0.1)


def _readiness(process: ProcessUnderTest) -> int:
    return process.get("health", "/readyz")[0]


@asynccontextmanager
async def world(
    sandbox: Sandbox, namespace: str, supervisors: Supervisors, folder: Path, *, address: str = "127.0.0.1"
) -> AsyncIterator[World]:
    """Start everything, for one namespace.

    Args:
        sandbox: whose cluster it is; with CRDs, policies and roles in place.
        namespace: what the operator watches.
        supervisors: how supervisors are run.
        folder: for logs.
        address: of this machine, as supervisors see it.
    """
    with own_server(f"kills-{namespace}", folder) as postgres:
        url = await asyncio.to_thread(postgres.create_database, "makima")
        await asyncio.to_thread(database.upgrade, url, "head", 60)
        async with await connected(sandbox.cluster.kubeconfig) as connection, contextlib.AsyncExitStack() as ends:
            driven = Driven(Person("admin", "admin", connection, namespace))
            apis = [_api(sandbox, folder, number, url) for number in (1, 2)]
            crossing = Crossing()
            await ends.enter_async_context(crossing.serve(address))
            operator = _operator(sandbox, folder, url, namespace, crossing.url)
            found = World(sandbox, postgres, url, apis, operator, driven, supervisors, crossing)
            crossing.replicas, crossing.kill, crossing.back = found.replicas, found.kill, found.back
            for process in (*apis, operator):
                await ends.enter_async_context(_kept_running(process))
            for process in (*apis, operator):
                await ready(process)
            await ends.enter_async_context(supervisors.for_world(driven, crossing.url))
            yield found
            await found.settle()


@asynccontextmanager
async def _kept_running(process: ProcessUnderTest) -> AsyncIterator[None]:
    keeping = asyncio.create_task(process.keep_running())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        if process.running:
            process.kill()  # an end in good order is seen elsewhere; here it would wait for polls of dead supervisors


def _api(sandbox: Sandbox, folder: Path, number: int, url: str) -> ApiUnderTest:
    account = sandbox.cluster.kubeconfig_for(API_USER, MAKIMA_GROUPS)
    return ApiUnderTest(folder / f"api-{number}.log", account, url)


def _operator(sandbox: Sandbox, folder: Path, url: str, namespace: str, api_url: str) -> OperatorUnderTest:
    account = sandbox.cluster.kubeconfig_for(OPERATOR_USER, MAKIMA_GROUPS)
    return OperatorUnderTest(
        folder / "operator.log",
        account,
        url,
        operator__namespaces=f'["{namespace}"]',
        operator__lease_name=f"lease-{namespace}",
        operator__lease_duration_seconds=3,
        supervisors__api_url=api_url,
        supervisors__status_refresh_seconds=1,
    )


def contract_id(body: dict[str, dict[str, str]]) -> UUID:
    """Its UID."""
    return UUID(body["metadata"]["uid"])
