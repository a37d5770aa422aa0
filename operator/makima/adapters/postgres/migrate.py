"""Move the schema up and down, on live systems: one mover at a time, and never long in a writer's way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from alembic import command
from psycopg import errors
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from makima.adapters.postgres.failures import describe, hint_for
from makima.adapters.postgres.revisions import (
    BASE,
    HEAD,
    alembic_config,
    current_revision,
    refuse_newer,
    resolve,
    schema_status,
)
from makima.errors import MigrationError
from makima.models.history_schema import BackfillProgress, SchemaStatus

ADVISORY_LOCK = 0x6D616B696D61
"""Key of the Postgres advisory lock that a mover holds (`makima` in ASCII)."""

WAIT_SECONDS = 600.0
"""How long to go on trying, for another mover to end and for tables to become free."""

POLL_SECONDS = 0.25


def upgrade(url: str, to: str = HEAD, *, wait_seconds: float = WAIT_SECONDS) -> SchemaStatus:
    """Run every migration up to `to` that the database does not have.

    Two of these at once: the second waits for the first and then finds nothing to do.

    Raises:
        MigrationError: not reachable, no permission, a newer schema, no such migration, or still locked
            after `wait_seconds`.
    """
    return _move(url, to, wait_seconds, up=True)


def downgrade(url: str, to: str, *, wait_seconds: float = WAIT_SECONDS) -> SchemaStatus:
    """Take back every migration after `to` (`base`: all of them), with the data in what they made.

    Raises:
        MigrationError: as `upgrade`.
    """
    return _move(url, to, wait_seconds, up=False)


def status(url: str) -> SchemaStatus:
    """Where the database stands; changes nothing.

    Raises:
        MigrationError: not reachable, or no permission.
    """
    with _connection(url) as connection:
        return _status(connection)


def _move(url: str, to: str, wait_seconds: float, *, up: bool) -> SchemaStatus:
    deadline = time.monotonic() + wait_seconds
    with _connection(url) as connection, _advisory_lock(connection, deadline):
        before = _status(connection)
        refuse_newer(before)
        _require_utf8(connection)
        target = resolve(to, before)
        _retry_while_locked(lambda: _run(connection, _status(connection), target, up=up), connection, deadline)
        return _status(connection)


def _require_utf8(connection: Connection) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    connection.rollback()
    if encoding != "UTF8":
        raise MigrationError(
            f"the database's encoding is {encoding}: it can't store what people write",
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    # libpq reads the URL, so every form it knows works: several hosts, a socket folder, key=value.
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, connect_timeout=10, application_name="makima-migrate"),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise _explain(error.orig) from error
    except psycopg.Error as error:
        raise _explain(error) from error


def _explain(error: BaseException | None) -> MigrationError:
    hint = hint_for(error) if isinstance(error, psycopg.Error) else None
    return MigrationError(f"Postgres: {describe(error) if error else 'unknown error'}", hint)


@contextmanager
def _advisory_lock(connection: Connection, deadline: float) -> Iterator[None]:
    """Hold the movers' lock; it belongs to the session, so a mover that dies frees it."""
    _poll(lambda: _scalar(connection, "SELECT pg_try_advisory_lock(:key)"), deadline)
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            _scalar(connection, "SELECT pg_advisory_unlock(:key)")


def _poll(attempt: Callable[[], Any], deadline: float) -> None:
    # Not the waiting pg_advisory_lock(): its statement would hold a snapshot, for which the other mover's
    # CREATE INDEX CONCURRENTLY waits: a deadlock.
    while not attempt():
        if time.monotonic() > deadline:
            raise MigrationError(
                "another `makima migrate` holds the lock",
                "wait for it to end, or see pg_locks (locktype advisory) for who it is",
            )
        time.sleep(POLL_SECONDS)


def _scalar(connection: Connection, query: str) -> Any:
    value = connection.execute(text(query), {"key": ADVISORY_LOCK}).scalar()
    connection.commit()
    return value


def _retry_while_locked(run: Callable[[], None], connection: Connection, deadline: float) -> None:
    """Give way to live traffic: DDL that does not get its lock quickly leaves the queue and comes again."""
    while True:
        try:
            return run()
        except (errors.LockNotAvailable, DBAPIError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            connection.rollback()
            if not isinstance(cause, errors.LockNotAvailable) or time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


def _run(connection: Connection, before: SchemaStatus, target: str, *, up: bool) -> None:
    applied = [BASE, *(migration.revision for migration in before.applied)]
    if up and target in applied:
        return
    if not up and target not in applied:
        raise MigrationError(f"migration {target} is not applied: there is nothing to take back")
    move = command.upgrade if up else command.downgrade
    move(alembic_config(connection), target)
    connection.commit()


def _status(connection: Connection) -> SchemaStatus:
    current = current_revision(connection)
    result = schema_status(current, _backfills(connection))
    connection.rollback()
    return result


def _backfills(connection: Connection) -> tuple[BackfillProgress, ...]:
    if connection.scalar(text("SELECT to_regclass('backfills')")) is None:
        return ()
    rows = connection.execute(text("SELECT name, rows_seen, finished_at IS NOT NULL FROM backfills ORDER BY name"))
    return tuple(BackfillProgress(*row) for row in rows)
