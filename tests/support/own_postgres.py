"""Postgres for tests that need more of it than a database: a server to be killed, and the stores of supervisors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from makima.adapters.postgres.database import Database, Limits
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.sandbox.postgres import LocalPostgres, create_cluster
from makima.sandbox.server_process import free_port


@contextmanager
def own_server(name: str, folder: Path) -> Iterator[LocalPostgres]:
    """A server of the test's own, empty, from here to the end of the block."""
    server = LocalPostgres(create_cluster(name), free_port(), folder)
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def open_stores(url: str, limits: Limits | None = None) -> AsyncIterator[PostgresSupervision]:
    """The stores of supervisors, open and listening."""
    database = Database(url, limits)
    await database.open()
    stores = PostgresSupervision(database)
    await stores.open()
    yield stores
    await stores.close()
    await database.close()
