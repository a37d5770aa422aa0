"""One operator per module, on its own account; the test plays the kubelet and the API service's writes to Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.postgres.database import Database
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.models.enums import SupervisorState
from makima.models.supervision import Beat, Session, Span
from tests.integration.operator.conftest import module_database, module_namespace, start_operator
from tests.support.driven import Driven
from tests.support.kube import Body, Person
from tests.support.kubelet import Kubelet
from tests.support.operator_process import OperatorUnderTest, StartOperator

__all__ = ["module_database", "module_namespace", "start_operator"]

SETTINGS = {"supervisors__api_url": "http://api.test:8090", "supervisors__status_refresh_seconds": 1}


@pytest.fixture(scope="module")
def operator(start_operator: StartOperator) -> OperatorUnderTest:
    """The module's operator, leading."""
    return start_operator(**SETTINGS).wait_leading()


@pytest.fixture
async def stores(module_database: str) -> AsyncIterator[PostgresSupervision]:
    """The stores that the operator uses."""
    database = Database(module_database)
    await database.open()
    store = PostgresSupervision(database)
    yield store
    await store.close()
    await database.close()


class Lives(Driven):
    """A namespace whose supervisors run in pods that the test plays."""

    def __init__(self, admin: Person, stores: PostgresSupervision, kubelet: Kubelet) -> None:
        super().__init__(admin)
        self.stores, self.kubelet = stores, kubelet

    async def supervised(self, name: str, **supervisor: object) -> UUID:
        """A contract with a supervisor; returns once its first pod is there."""
        template = {"containers": [{"name": "agent", "image": "example.test/agent:1"}]}
        settings = {"template": template, "restart": {"backoff": {"seconds": 0}}, **supervisor}
        body = await self.create(name, phases=[{"name": "one", "deliverables": [{"id": "a"}]}], supervisor=settings)
        await self.kubelet.pod(f"{name}-1")
        return UUID(body["metadata"]["uid"])

    async def living(self, name: str, **supervisor: object) -> UUID:
        """The same, with a life that runs, registered and is heard of."""
        contract = await self.supervised(name, **supervisor)
        await self.come_alive(name, contract, 1)
        return contract

    async def come_alive(self, name: str, contract: UUID, life: int) -> None:
        """The pod of this life runs, registers and sends a heartbeat."""
        await self.kubelet.run(f"{name}-{life}")
        await self.shows(name, lambda status: status.get("podUid") and status["incarnation"] == life)
        await self.stores.registry.register(contract, life, uuid4(), "test", datetime.now(UTC))
        await self.beat(contract)
        await self.shows(name, lambda status: status.get("state") == "Working")

    async def session(self, contract: UUID) -> Session:
        """The row."""
        found = await self.stores.registry.session(contract)
        assert found is not None
        return found

    async def beat(
        self, contract: UUID, state: SupervisorState = SupervisorState.WORKING, *, activity: str = "", progress: int = 0
    ) -> None:
        """A heartbeat, as the API service stores it."""
        row, now = await self.session(contract), datetime.now(UTC)
        life, number = row.incarnation, row.sequence + 1
        beat = Beat(contract, row.task_id, life, number, state, "one", activity, progress, (), now)
        await self.stores.heartbeats.keep_partitions(datetime.now(UTC))
        await self.stores.heartbeats.store([beat])
        await self.stores.heartbeats.refresh([beat], announce=[contract])

    async def covered(self, start: datetime, until: datetime) -> None:
        """The ingest was there."""
        await self.stores.coverage.extend("test", Span(start, until))

    async def supervisor(self, name: str) -> Body:
        """Supervisor.status."""
        found: Body = (await self.admin.get(name, "supervisors")).get("status", {})
        return found

    async def shows(self, name: str, holds: Callable[[Body], object], seconds: float = 30) -> Body:
        """Wait until Supervisor.status is as wanted."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds(status := await self.supervisor(name)):
            assert asyncio.get_running_loop().time() < deadline, f"{name}: {status}"
            await asyncio.sleep(0.05)
        return status

    async def alive(self, name: str, reason: str) -> Body:
        """Wait for a reason of the condition Alive."""

        def found(status: Body) -> bool:
            return any(c["type"] == "Alive" and c["reason"] == reason for c in status.get("conditions", []))

        return await self.shows(name, found)


@pytest.fixture(scope="module")
def prepared() -> set[str]:
    """Namespaces that have what a controller manager makes."""
    return set()


@pytest.fixture
async def lives(
    admin: Connection,
    module_namespace: str,
    stores: PostgresSupervision,
    prepared: set[str],
) -> Lives:
    """The namespace of the module's operator."""
    kubelet = Kubelet(admin, module_namespace)
    if module_namespace not in prepared:
        await kubelet.prepare()
        prepared.add(module_namespace)
    return Lives(Person("admin", "admin", admin, module_namespace), stores, kubelet)
