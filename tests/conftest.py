"""What tests get of the real world: one sandbox for the whole run, a namespace and a database for each test.

The sandbox is started by the first test that asks for it, whichever worker that runs in, and ends with the run, however
the run ends. Without etcd and kube-apiserver in the cache they are built first: minutes, once.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import HealthCheck, settings

from makima import database
from makima.adapters.kubernetes.connection import Connection
from makima.adapters.postgres.history import PostgresHistory
from makima.sandbox import Sandbox, attach, start
from makima.sandbox.locking import exclusive
from makima.sandbox.postgres import KEPT_IN
from tests.support.connected import connected
from tests.support.kills import table
from tests.support.memory_folder import memory_folder

RUN = "MAKIMA_TEST_RUN"
MEASURED = "measured"
"""Travels with a test's report from a worker of xdist to its controller."""

# How long an example takes to make says more about the machine than about the test.
settings.register_profile("makima", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("makima")
TEMPLATE = "migrated"

MADE_FOR_A_MODULE = frozenset({"module_database", "people", "everything"})
"""Fixtures at the bottom of what takes seconds of CPU: `makima api`, `makima operator`, every chart with each Helm."""


def pytest_configure(config: pytest.Config) -> None:
    """The process that leads the run names it; workers inherit the name."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN] = str(os.getpid())
        for name in ("MAKIMA_DATABASE_URL", "MAKIMA_CONFIG", "KUBECONFIG"):
            os.environ.pop(name, None)  # tests never touch what the user has
        if (kept_in := memory_folder()) is not None:
            os.environ.setdefault(KEPT_IN, str(kept_in))
        os.environ.setdefault("GOGC", "400")  # API servers of tests live for minutes: memory is cheaper than collecting


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run's sandbox; its guard does so if this is never reached."""
    if not hasattr(config, "workerinput"):
        found = attach(f"tests-{os.environ[RUN]}")
        if found is not None:
            found.stop()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected, and all that it imports, stays to the end: no garbage collection looks at it.

    One that did took half a second of CPU, 20 times in each worker: a tenth of the unit tests' time. Others are rare.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what was made for their module run in one worker: else each worker makes it, processes too."""
    for item in items:
        shared = MADE_FOR_A_MODULE.intersection(getattr(item, "fixturenames", ()))
        if shared and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(item.config.rootpath))))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """What tests measured, and which kills there were, at which save points."""
    for test, texts in _said(terminalreporter, MEASURED).items():
        terminalreporter.section("measured")
        terminalreporter.line("\n".join([f"{test}:", *texts]))
    for test, values in _said(terminalreporter, table.PROPERTY).items():
        terminalreporter.section("kills")
        for line in table.lines(test, values):
            terminalreporter.line(line)


def _said(terminalreporter: TerminalReporter, about: str) -> dict[str, list[Any]]:
    """What tests recorded under this name, in whichever worker: test to values."""
    said: dict[str, list[Any]] = {}
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties if report.when == "call" else ():
            if name == about:
                said.setdefault(report.nodeid.partition("[")[0].partition("@")[0], []).append(value)
    return said


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Tell what was measured: it is printed at the end of the run, from workers too."""
    return lambda text: record_property(MEASURED, text)


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """Real etcd, kube-apiserver and Postgres, shared by all workers of this run."""
    return start(f"tests-{os.environ[RUN]}", ends_with=int(os.environ[RUN]))


@pytest.fixture(scope="session")
def installed_cluster(sandbox: Sandbox) -> Sandbox:
    """The same, with CRDs, policies and roles in place and enforced."""
    from makima.wiring import install  # imports kopf: not for unit tests

    done = sandbox.folder / "installed"
    with exclusive(sandbox.folder / "install.lock"):
        if not done.exists():
            asyncio.run(install(sandbox.cluster.kubeconfig))
            done.touch()
    return sandbox


@pytest.fixture
async def admin(installed_cluster: Sandbox) -> AsyncIterator[Connection]:
    """A cluster administrator's connection."""
    async with await connected(installed_cluster.cluster.kubeconfig) as connection:
        yield connection


@pytest.fixture
async def namespace(admin: Connection) -> str:
    """A namespace of this test's own."""
    name = f"test-{uuid4().hex[:12]}"
    await admin.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
    return name


@pytest.fixture(scope="session")
def template_database(sandbox: Sandbox) -> str:
    """A migrated, empty database that others are copied from."""
    done = sandbox.folder / "template-migrated"
    with exclusive(sandbox.folder / "template.lock"):
        if not done.exists():
            database.upgrade(sandbox.database.create_database(TEMPLATE), "head", 60)
            done.touch()
    return TEMPLATE


@pytest.fixture
def empty_database_url(sandbox: Sandbox) -> Iterator[str]:
    """A database of this test's own, without tables."""
    name = f"test_{uuid4().hex[:16]}"
    yield sandbox.database.create_database(name)
    sandbox.database.drop_database(name)


@pytest.fixture
def database_url(sandbox: Sandbox, template_database: str) -> Iterator[str]:
    """A database of this test's own, migrated."""
    name = f"test_{uuid4().hex[:16]}"
    yield sandbox.database.create_database(name, template=template_database)
    sandbox.database.drop_database(name)


@pytest.fixture
async def history(database_url: str) -> AsyncIterator[PostgresHistory]:
    """The history in it."""
    store = PostgresHistory(database_url)
    await store.open()
    yield store
    await store.close()
