"""A sandbox of its own, so that killing its processes disturbs no other test; an operator with its own account."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from kubernetes.aio import client
from kubernetes.aio.config import load_kube_config

from makima import database
from makima.sandbox import Sandbox
from makima.sandbox import start as start_sandbox
from makima.wiring import install
from tests.support.operator_process import StartOperator, operators


@pytest.fixture(scope="package")
def own_sandbox() -> Iterator[Sandbox]:
    """Real etcd, kube-apiserver and Postgres, to be killed."""
    sandbox = start_sandbox(f"faults-{os.getpid()}", ends_with=os.getpid())
    asyncio.run(install(sandbox.cluster.kubeconfig))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def database_url(own_sandbox: Sandbox) -> str:
    """A migrated database of this test's own, in this sandbox; `history` reads it."""
    url = own_sandbox.database.create_database(f"faults_{uuid4().hex[:16]}")
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
async def namespace(api: client.ApiClient) -> str:
    """A namespace of this test's own, in this sandbox."""
    name = f"faults-{uuid4().hex[:12]}"
    await client.CoreV1Api(api).create_namespace({"metadata": {"name": name}})
    return name


@pytest.fixture
def start_operator(own_sandbox: Sandbox, database_url: str, namespace: str, tmp_path: Path) -> Iterator[StartOperator]:
    """Start operators that watch this test's namespace; all are ended with the test."""
    with operators(own_sandbox, namespace, database_url, tmp_path, operator__lease_duration_seconds=10) as start:
        yield start
