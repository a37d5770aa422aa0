"""Hours of heartbeats: made ahead, dropped after a day, by any number of callers, also after days away."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import psycopg
import pytest

from makima.adapters.postgres.heartbeat_partitions import hour_of, name_of
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.errors import HistoryUnavailable
from makima.models.supervision import Session
from tests.support.supervision_values import NOW, beat

HOUR = timedelta(hours=1)


async def hours(stores: PostgresSupervision) -> list[str]:
    """Partitions of the parent, and tables left behind, by name."""
    rows = await stores.database.rows(
        b"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^supervisor_heartbeats_' ORDER BY 1"
    )
    return [row["relname"] for row in rows]


def names(first: datetime, count: int) -> list[str]:
    return [name_of(first + HOUR * number) for number in range(count)]


async def test_this_hour_and_at_least_two_whole_ones_ahead(stores: PostgresSupervision) -> None:
    assert await hours(stores) == names(NOW, 4)
    assert (await hours(stores))[0] == "supervisor_heartbeats_2026112309"
    assert hour_of("supervisor_heartbeats_2026112309") == NOW.replace(minute=0, second=0, microsecond=0)


async def test_a_new_partition_has_the_parents_index(stores: PostgresSupervision) -> None:
    rows = await stores.database.rows(
        b"SELECT indexdef FROM pg_indexes WHERE tablename = 'supervisor_heartbeats_2026112309'"
    )
    assert len(rows) == 1
    assert '(contract_id, "timestamp" DESC)' in rows[0]["indexdef"]


@pytest.mark.parametrize(
    ("later", "oldest_left"),
    [
        (timedelta(hours=24, minutes=29), 0),  # 09:59: something of the hour may be less than a day old
        (timedelta(hours=24, minutes=30), 1),  # 10:00: nothing is
        (timedelta(hours=26, minutes=40), 3),
    ],
)
async def test_an_hour_goes_when_all_of_it_is_a_day_old(
    stores: PostgresSupervision, later: timedelta, oldest_left: int
) -> None:
    moment = NOW.replace(microsecond=0) + later
    await stores.heartbeats.keep_partitions(moment)
    assert await hours(stores) == sorted(names(NOW, 4)[oldest_left:] + names(moment, 4))


async def test_after_days_away_all_old_hours_go_at_once(stores: PostgresSupervision, life: Session) -> None:
    for day in range(3):
        for hour in range(0, 24, 4):
            await stores.heartbeats.keep_partitions(NOW - timedelta(days=2) + timedelta(days=day, hours=hour))
    await stores.heartbeats.store([beat(life)])
    later = NOW + timedelta(days=9)
    await stores.heartbeats.keep_partitions(later)
    assert await hours(stores) == names(later, 4)
    assert await stores.heartbeats.recent(life.contract_id, 5) == []


async def test_many_callers_at_once(stores: PostgresSupervision, life: Session) -> None:
    await stores.heartbeats.store([beat(life)])
    later = NOW + timedelta(days=2)
    await asyncio.gather(*(stores.heartbeats.keep_partitions(later) for _ in range(12)))
    await stores.heartbeats.keep_partitions(later)  # one that was left to another process meanwhile
    assert await hours(stores) == names(later, 4)


async def test_a_heartbeat_whose_hour_nobody_made_is_stored(stores: PostgresSupervision, life: Session) -> None:
    late = [beat(life, number, received_at=NOW + timedelta(hours=9 + number)) for number in (1, 2)]
    results = await asyncio.gather(*(stores.heartbeats.store(late[:count]) for count in (2, 1, 2, 1)))
    assert [len(result) for result in results] == [2, 1, 2, 1]
    assert [item.sequence for item in await stores.heartbeats.recent(life.contract_id, 9)] == [2, 2, 1, 1, 1, 1]
    assert await hours(stores) == names(NOW, 4) + names(late[0].received_at, 2)


async def test_heartbeats_go_on_while_hours_are_dropped_under_a_long_reader(
    stores: PostgresSupervision, life: Session, other: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    later = NOW + timedelta(days=2)
    await stores.heartbeats.keep_partitions(later)
    await stores.heartbeats.keep_partitions(later + timedelta(hours=3))
    await other.execute("SELECT count(*) FROM supervisor_heartbeats")  # and stays open
    much_later = later + timedelta(days=2)
    dropping = asyncio.ensure_future(stores.heartbeats.keep_partitions(much_later))
    for number in range(1, 40):
        async with asyncio.timeout(2):  # far below the lock time-out behind which a DROP would queue everybody
            await stores.heartbeats.store([beat(life, number, received_at=much_later)])
        await asyncio.sleep(0.01)
    assert not dropping.done()
    await other.rollback()
    await dropping
    assert await hours(stores) == names(much_later, 4)


async def test_a_removal_that_was_interrupted_is_finished(
    stores: PostgresSupervision, other: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    await other.execute("SELECT count(*) FROM supervisor_heartbeats")
    async with stores.database.connection() as connection:
        await connection.execute(b"SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            await connection.execute(
                b"ALTER TABLE supervisor_heartbeats DETACH PARTITION supervisor_heartbeats_2026112309 CONCURRENTLY"
            )
        await connection.execute(b"RESET statement_timeout")
    await other.rollback()
    async with stores.database.connection() as connection:  # detached, and not dropped
        await connection.execute(b"ALTER TABLE supervisor_heartbeats DETACH PARTITION supervisor_heartbeats_2026112310")
    later = NOW + timedelta(days=3)
    await stores.heartbeats.keep_partitions(later)
    assert await hours(stores) == names(later, 4)


async def test_without_tables_it_says_what_to_run(empty_database_url: str) -> None:
    from makima.adapters.postgres.database import Database

    database = Database(empty_database_url)
    await database.open()
    with pytest.raises(HistoryUnavailable, match="makima migrate up"):
        await PostgresSupervision(database).heartbeats.keep_partitions(NOW)
    await database.close()
