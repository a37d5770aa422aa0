"""Postgres for the tests of the history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio

from makima.adapters.postgres import migrate
from makima.adapters.postgres.history import PostgresHistory
from tests.support.private_postgres import PrivatePostgres


@pytest.fixture(scope="session")
def shared_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    folder = tmp_path_factory.mktemp("postgres")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    server = PrivatePostgres(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def empty_database_url(shared_postgres: PrivatePostgres) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(shared_postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield shared_postgres.url.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    migrate.upgrade(empty_database_url)
    return empty_database_url


@pytest_asyncio.fixture
async def history(database_url: str) -> AsyncIterator[PostgresHistory]:
    store = PostgresHistory(database_url)
    await store.open()
    yield store
    await store.close()
