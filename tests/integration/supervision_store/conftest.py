"""All stores of supervisors over a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest

from makima.adapters.postgres.supervision import PostgresSupervision
from makima.models.supervision import Session
from tests.support.own_postgres import open_stores
from tests.support.supervision_values import NOW, somebody

Begin = Callable[[], Awaitable[Session]]


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[PostgresSupervision]:
    """Open, listening, with partitions for the hours around NOW."""
    async with open_stores(database_url) as supervision:
        await supervision.heartbeats.keep_partitions(NOW)
        yield supervision


@pytest.fixture
async def life(stores: PostgresSupervision) -> Session:
    """The first life of a supervisor."""
    return await stores.registry.allocate(somebody(), after=0)


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[psycopg.AsyncConnection[tuple[object, ...]]]:
    """Another transaction, for what has to wait: not in autocommit mode."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        yield connection
