"""A sandbox of its own, so that killing its processes disturbs no other test; an operator with its own account."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from kubernetes.aio import client
from kubernetes.aio.config import load_kube_config

from makima import database
from makima.adapters.postgres.history import PostgresHistory
from makima.sandbox import Sandbox
from makima.sandbox import start as start_sandbox
from makima.wiring import install
from tests.support.operator_process import OPERATOR_GROUPS, OPERATOR_USER, OperatorUnderTest

StartOperator = Callable[..., OperatorUnderTest]


@pytest.fixture(scope="session")
def own_sandbox() -> Iterator[Sandbox]:
    """Real etcd, kube-apiserver and Postgres, to be killed."""
    sandbox = start_sandbox(f"faults-{os.getpid()}", ends_with=os.getpid())
    asyncio.run(install(sandbox.cluster.kubeconfig))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def own_database(own_sandbox: Sandbox, request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database."""
    url = own_sandbox.database.create_database(f"faults_{abs(hash(request.node.nodeid)) % 10**9}")
    database.upgrade(url, "head", 60)
    return url


@pytest.fixture
async def api(own_sandbox: Sandbox) -> AsyncIterator[client.ApiClient]:
    """An administrator's client."""
    configuration = client.Configuration()
    await load_kube_config(config_file=str(own_sandbox.cluster.kubeconfig), client_configuration=configuration)
    async with client.ApiClient(configuration) as api:
        yield api


@pytest.fixture
async def fresh_namespace(api: client.ApiClient, request: pytest.FixtureRequest) -> str:
    """A namespace of this test's own."""
    name = f"faults-{abs(hash(request.node.nodeid)) % 10**9}"
    await client.CoreV1Api(api).create_namespace({"metadata": {"name": name}})
    return name


@pytest.fixture
async def history(own_database: str) -> AsyncIterator[PostgresHistory]:
    """The history, to be checked."""
    store = PostgresHistory(own_database)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def start_operator(
    own_sandbox: Sandbox, own_database: str, fresh_namespace: str, tmp_path: Path
) -> Iterator[StartOperator]:
    """Start operators that watch this test's namespace; all are ended with the test."""
    started: list[OperatorUnderTest] = []
    kubeconfig = own_sandbox.cluster.kubeconfig_for(OPERATOR_USER, groups=OPERATOR_GROUPS)

    def start(kubeconfig: Path = kubeconfig, **settings: object) -> OperatorUnderTest:
        settings = {
            "operator__namespaces": f'["{fresh_namespace}"]',
            "operator__lease_name": f"lease-{fresh_namespace}",
            "operator__lease_duration_seconds": 10,
            **settings,
        }
        operator = OperatorUnderTest(tmp_path / f"operator-{len(started)}.log", kubeconfig, own_database, **settings)
        started.append(operator)
        return operator.start()

    yield start
    for operator in started:
        operator.stop()
