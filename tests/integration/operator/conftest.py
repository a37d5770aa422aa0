"""One operator process per module, on its own account, with a namespace and a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.postgres.history import PostgresHistory
from makima.sandbox import Sandbox
from tests.support.connected import connected
from tests.support.driven import Driven
from tests.support.kube import Person
from tests.support.operator_process import OperatorUnderTest, StartOperator, operators


@pytest.fixture(scope="module")
def module_namespace(installed_cluster: Sandbox) -> str:
    """A namespace of this module's own."""
    name = f"op-{uuid4().hex[:10]}"

    async def create() -> None:
        async with await connected(installed_cluster.cluster.kubeconfig) as connection:
            await connection.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})

    asyncio.run(create())
    return name


@pytest.fixture(scope="module")
def module_database(sandbox: Sandbox, template_database: str) -> Iterator[str]:
    """A migrated database of this module's own."""
    name = f"op_{uuid4().hex[:16]}"
    yield sandbox.database.create_database(name, template=template_database)
    sandbox.database.drop_database(name)


@pytest.fixture(scope="module")
def start_operator(
    installed_cluster: Sandbox, module_namespace: str, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartOperator]:
    """Start operators for this module's namespace; all are ended with the module."""
    folder = tmp_path_factory.mktemp("operators")
    with operators(installed_cluster, module_namespace, module_database, folder) as start:
        yield start


@pytest.fixture(scope="module")
def operator(start_operator: StartOperator) -> OperatorUnderTest:
    """The module's operator, leading."""
    return start_operator().wait_leading()


@pytest.fixture
async def driven(admin: Connection, module_namespace: str) -> Driven:
    """The namespace that the module's operators drive, seen by an administrator; it starts none of them."""
    return Driven(Person("admin", "admin", admin, module_namespace))


@pytest.fixture
async def recorded(module_database: str) -> AsyncIterator[PostgresHistory]:
    """The history that the operator writes."""
    store = PostgresHistory(module_database)
    await store.open()
    yield store
    await store.close()
