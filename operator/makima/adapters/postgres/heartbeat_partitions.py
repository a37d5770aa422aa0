"""Heartbeats lie in partitions of an hour each: made ahead, dropped whole after a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from psycopg import errors, sql

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.sql import load

SQL = load("heartbeats")

PARENT = sql.Identifier("supervisor_heartbeats")
NAME = "supervisor_heartbeats_%Y%m%d%H"
HOUR = timedelta(hours=1)

AHEAD = 3
"""Hours made after the current one: two whole ones at the least, whenever in its hour this is called."""

KEPT = timedelta(hours=24)
"""Age at which the youngest heartbeat of a partition is old enough to go (plan, Task 3.2)."""

MAKING, DROPPING = 0x6D616B696D61_01, 0x6D616B696D61_02
"""Keys of the advisory locks of makers and droppers (`makima` in ASCII, and a number)."""


async def make_ahead(database: Database, now: datetime) -> None:
    """Make the current hour and the next ones, where they are missing."""
    await make_hours(database, [now + HOUR * number for number in range(AHEAD + 1)])


async def make_hours(database: Database, moments: Iterable[datetime]) -> None:
    """Make the partitions in which these moments fall, where they are missing."""
    starts = {name_of(moment): start_of(moment) for moment in moments}
    async with database.connection() as connection, connection.transaction():
        await connection.execute(SQL["lock_making"], {"key": MAKING})
        present = await _partitions(connection)
        for name, start in starts.items():
            if not present.get(name, False):
                await _make(connection, name, start, new=name not in present)


async def drop_old(database: Database, now: datetime) -> None:
    """Drop every hour that ended 24 hours ago or more; an hour that another process is at is left to it."""
    async with database.connection() as connection:
        present = await _partitions(connection)
    for name in present:
        if hour_of(name) + HOUR <= now - KEPT:
            async with database.connection() as connection:  # each with the time-out of one operation
                await _drop_alone(connection, name)


def start_of(moment: datetime) -> datetime:
    """The begin of its hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def name_of(moment: datetime) -> str:
    """What the partition of this moment is called."""
    return start_of(moment).strftime(NAME)


def hour_of(name: str) -> datetime:
    """Begin of the hour that this partition holds."""
    return datetime.strptime(name, NAME).replace(tzinfo=UTC)


async def _partitions(connection: Connection) -> Mapping[str, bool]:
    """Hours by name, oldest first, and whether they belong to the parent."""
    cursor = await connection.execute(SQL["partitions"])
    return {row["name"]: row["attached"] for row in await cursor.fetchall()}


async def _make(connection: Connection, name: str, start: datetime, *, new: bool) -> None:
    """CREATE and ATTACH, since CREATE … PARTITION OF would wait for every open transaction, and all others for it."""
    table = sql.Identifier(name)
    if new:
        await connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(table, PARENT)
        )
    bounds = (sql.Literal(start.isoformat()), sql.Literal((start + HOUR).isoformat()))
    await connection.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(PARENT, table, *bounds)
    )


async def _drop_alone(connection: Connection, name: str) -> None:
    taken = await (await connection.execute(SQL["try_dropping"], {"key": DROPPING})).fetchone()
    if taken is None or not taken["mine"]:
        return
    try:
        await _drop(connection, name)
    finally:
        if not connection.broken:
            await connection.execute(SQL["end_dropping"], {"key": DROPPING})


async def _drop(connection: Connection, name: str) -> None:
    """Detached first: to drop a partition at once would hold up every heartbeat behind the longest reader."""
    cursor = await connection.execute(SQL["partitions"])
    found = {row["name"]: row for row in await cursor.fetchall()}.get(name)
    if found is None:
        return  # another process was faster
    table = sql.Identifier(name)
    if found["attached"]:
        how = sql.SQL("FINALIZE" if found["pending"] else "CONCURRENTLY")
        await connection.execute(sql.SQL("ALTER TABLE {} DETACH PARTITION {} {}").format(PARENT, table, how))
    await connection.execute(sql.SQL("DROP TABLE {}").format(table))


def lacks_a_partition(error: BaseException) -> bool:
    """Whether a row was refused because nobody made its hour."""
    return isinstance(error, errors.CheckViolation) and error.diag.constraint_name is None
