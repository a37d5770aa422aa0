"""One API process per module on its own account, with a namespace and a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import aiohttp
import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest, StartApi, apis
from tests.support.carried_world import CarriedWorld
from tests.support.own_postgres import open_stores


@pytest.fixture(scope="module")
def module_database(sandbox: Sandbox, template_database: str) -> Iterator[str]:
    """A migrated database of this module's own."""
    name = f"api_{uuid4().hex[:16]}"
    yield sandbox.database.create_database(name, template=template_database)
    sandbox.database.drop_database(name)


@pytest.fixture(scope="module")
def start_api(
    installed_cluster: Sandbox, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartApi]:
    """Start API processes; all are ended with the module."""
    with apis(installed_cluster, module_database, tmp_path_factory.mktemp("apis")) as start:
        yield start


@pytest.fixture(scope="module")
def api(start_api: StartApi) -> ApiUnderTest:
    """The module's API process."""
    return start_api()


@pytest.fixture
async def world(admin: Connection, namespace: str, module_database: str) -> AsyncIterator[CarriedWorld]:
    """A namespace of the test's own, over the module's database."""
    async with open_stores(module_database) as store, aiohttp.ClientSession() as http:
        yield CarriedWorld(admin, namespace, store, http)
    await asyncio.sleep(0)


@pytest.fixture
async def agent(world: CarriedWorld) -> str:
    """The token of the service account `agent`, which may supervise and look."""
    return await world.account("agent", "makima-supervise", "makima-view")
