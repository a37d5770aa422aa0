"""A sandbox of its own, so that killing its processes disturbs no other test; an operator with its own account."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

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
def installed_cluster(own_sandbox: Sandbox) -> Sandbox:
    """Where `admin` and `namespace` are."""
    return own_sandbox


@pytest.fixture
def start_operator(own_sandbox: Sandbox, database_url: str, namespace: str, tmp_path: Path) -> Iterator[StartOperator]:
    """Start operators that watch this test's namespace; all are ended with the test."""
    with operators(own_sandbox, namespace, database_url, tmp_path, operator__lease_duration_seconds=10) as start:
        yield start
