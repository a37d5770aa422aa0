"""One API process behind the sandbox's API server, and people with nothing but a kubeconfig.

There is one APIService of the name, so these tests run one after the other (`xdist_group` in each file), and take it
away again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import aiohttp
import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest, aggregated_api
from tests.support.carried_world import CarriedWorld
from tests.support.command_line import Stage, stage
from tests.support.operator_process import operators
from tests.support.own_postgres import open_stores


@pytest.fixture(scope="module")
def module_database(sandbox: Sandbox, template_database: str) -> Iterator[str]:
    """A migrated database of this module's own."""
    name = f"aggregated_{uuid4().hex[:16]}"
    yield sandbox.database.create_database(name, template=template_database)
    sandbox.database.drop_database(name)


@pytest.fixture(scope="module")
def api(
    installed_cluster: Sandbox, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiUnderTest]:
    """An API process that the sandbox's API server forwards to."""
    with aggregated_api(installed_cluster, module_database, tmp_path_factory.mktemp("aggregated")) as found:
        yield found


@pytest.fixture(scope="module")
def driven(
    installed_cluster: Sandbox, api: ApiUnderTest, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A namespace with its people, and an operator at work; makima's API is behind the API server."""
    folder = tmp_path_factory.mktemp("operator")
    with (
        stage(installed_cluster, "plain") as found,
        operators(installed_cluster, found.namespace, module_database, folder) as start,
    ):
        start().wait_leading()
        yield found


@pytest.fixture
async def world(admin: Connection, namespace: str, module_database: str) -> AsyncIterator[CarriedWorld]:
    """A namespace of the test's own, over the module's database."""
    async with open_stores(module_database) as store, aiohttp.ClientSession() as http:
        yield CarriedWorld(admin, namespace, store, http)
    await asyncio.sleep(0)
