"""A pool of connections in which nothing waits for ever, and whose errors say what to do next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from makima.adapters.postgres.failures import (
    describe,
    hint_for,
    is_a_lost_connection,
    is_about_the_data,
    refusing_bad_values,
)
from makima.errors import HistoryUnavailable

Connection = psycopg.AsyncConnection[DictRow]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long, in seconds.

    Attributes:
        connections: at most so many to Postgres from this process.
        statement: one statement on the server; the transaction around it may idle as long.
        lock: waiting for another transaction's row or table.
        operation: a whole operation as the caller sees it, waiting for a connection included.
        connect: waiting for a connection of the pool; also for one to be made.
    """

    connections: int = 4
    statement: float = 10.0
    lock: float = 5.0
    operation: float = 15.0
    connect: float = 5.0


RECONNECT_SECONDS = 2.0


class Database:
    """Connections to one Postgres."""

    def __init__(self, url: str, limits: Limits | None = None, application_name: str = "makima") -> None:
        self.limits = limits or Limits()
        self._url = url
        self._application_name = application_name
        self._pool: AsyncConnectionPool[Connection] | None = None

    async def open(self) -> None:
        """Start connecting; returns at once, also when Postgres is away.

        Raises:
            HistoryUnavailable: the URL is none that libpq can read.
        """
        try:
            psycopg.conninfo.conninfo_to_dict(self._url)
        except psycopg.ProgrammingError as error:
            raise HistoryUnavailable(f"Postgres: {describe(error)}", hint_for(error)) from error
        self._pool = self._new_pool()
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    def _new_pool(self) -> AsyncConnectionPool[Connection]:
        return AsyncConnectionPool(
            self._url,
            connection_class=psycopg.AsyncConnection[DictRow],
            kwargs=self._options(),
            min_size=1,
            max_size=self.limits.connections,
            timeout=self.limits.connect,
            # The pool waits twice as long after each failed attempt: kept short, to be back soon after Postgres is.
            reconnect_timeout=RECONNECT_SECONDS,
            # No check of each connection that is handed out: the pool waits a second after each dead one that it
            # meets. After a failure all idle ones are replaced at once instead (`connection`).
            configure=self._configure,
            open=False,
        )

    def _options(self) -> dict[str, Any]:
        return {
            "autocommit": True,
            "row_factory": dict_row,
            "application_name": self._application_name,
            "connect_timeout": max(1, round(self.limits.connect)),
            "tcp_user_timeout": round(self.limits.operation * 1000),
        }

    async def connect(self) -> Connection:
        """A connection of the caller's own, outside of the pool, for the caller to close: LISTEN keeps one for good.

        Raises:
            HistoryUnavailable: see `connection`.
        """
        try:
            async with asyncio.timeout(self.limits.operation):
                return await self._connect()
        except psycopg.Error as error:
            raise HistoryUnavailable(f"Postgres: {describe(error)}", hint_for(error)) from error
        except TimeoutError as error:
            raise HistoryUnavailable(f"Postgres did not answer within {self.limits.operation:g} s") from error

    async def _connect(self) -> Connection:
        connection: Connection = await psycopg.AsyncConnection.connect(self._url, **self._options())
        try:
            await self._configure(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _configure(self, connection: Connection) -> None:
        statement, lock = (round(seconds * 1000) for seconds in (self.limits.statement, self.limits.lock))
        await connection.execute(
            f"SET statement_timeout = {statement}; SET lock_timeout = {lock};"
            f"SET idle_in_transaction_session_timeout = {statement}; SET timezone = 'UTC'".encode()
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit mode, for one operation.

        Raises:
            HistoryUnavailable: away, too slow, not migrated, not permitted; not open.
            psycopg.Error: the values themselves can't be stored (`is_about_the_data`).
        """
        pool = self._pool
        if pool is None:
            raise HistoryUnavailable("the history is not open")
        try:
            async with asyncio.timeout(self.limits.operation), pool.connection() as connection:
                try:
                    yield connection
                finally:
                    if connection.broken:
                        await pool.drain()  # Postgres went away: the idle ones are dead too
        except psycopg.Error as error:
            if is_about_the_data(error):
                raise
            raise HistoryUnavailable(f"Postgres: {describe(error)}", hint_for(error)) from error
        except TimeoutError as error:
            seconds = self.limits.operation
            raise HistoryUnavailable(f"Postgres did not answer within {seconds:g} s") from error

    async def rows(
        self, query: bytes, parameters: dict[str, Any] | None = None, *, prepare: bool | None = None
    ) -> list[DictRow]:
        """All rows of one query, which only reads; asked once more if the connection turns out to be dead.

        Args:
            prepare: whether its plan is kept; None = once it was made a few times.

        Raises:
            HistoryUnavailable: see `connection`.
            ValuesRefused: Postgres can't look for such parameters.
        """
        with refusing_bad_values():
            try:
                return await self._rows(query, parameters, prepare)
            except HistoryUnavailable as error:
                if not is_a_lost_connection(error.__cause__):
                    raise
                return await self._rows(query, parameters, prepare)

    async def _rows(self, query: bytes, parameters: dict[str, Any] | None, prepare: bool | None) -> list[DictRow]:
        async with self.connection() as connection:
            cursor = await connection.execute(query, parameters, prepare=prepare)
            return await cursor.fetchall()
