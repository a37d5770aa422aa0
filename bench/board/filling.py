"""100,000 contracts and 10 million events: contracts by COPY, events made by Postgres, indexes built afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg

from bench.beats.fleet import contract_id
from bench.cluster import NAMESPACE

NAMESPACES = 100
"""The fleet's own, and 99 others."""

PHASES = ("research", "specify", "plan", "execute", "review")
TASKS = 3
"""Ended tasks of each contract; every third one under way has one that runs."""

SILENT = timedelta(hours=2)
COLUMNS = (
    "uid, namespace, name, type, status, phase, phases, version, resource_version, created_at, updated_at,"
    " status_changed_at, last_activity_at, waiting_for, running_tasks, pending_tasks, worktrees, idle_since"
)
EVENTS = """
INSERT INTO events (seq, id, contract_id, namespace, contract_name, version, type, at, actor, payload)
SELECT number, md5(number::text)::uuid, of.uid, of.namespace, of.name, number / %(contracts)s + 1, 'StatusChanged',
    now() - (%(events)s - number) * interval '10 milliseconds', 'bench', %(payload)s::jsonb
FROM generate_series(1, %(events)s) AS number JOIN numbered AS of ON of.place = number %% %(contracts)s
"""
HEARD = """
UPDATE contracts SET idle_since = beat.at, last_activity_at = beat.at
FROM (SELECT contract_id, now() - random() * interval '100 seconds' AS at FROM supervisors) AS beat
WHERE uid = beat.contract_id AND idle_since IS NOT NULL
"""
PAYLOAD = {"old_status": "active", "new_status": "waiting_for_input", "reason": "WaitingForAnswer", "message": ""}


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is.

    Attributes:
        carried: contracts whose supervisors send heartbeats: the first ones, all in the fleet's namespace.
    """

    contracts: int
    carried: int
    events: int


def fill(url: str, size: Size) -> None:
    """Contracts, tasks and events, as recorders would have left them; counts as the backfill leaves them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
        _contracts(connection, size, datetime.now(UTC))
        indexes = _without_indexes(connection, "events")
        connection.execute(
            "CREATE TEMP TABLE numbered AS"
            " SELECT row_number() OVER () - 1 AS place, uid, namespace, name FROM contracts"
        )
        values = {"contracts": size.contracts, "events": size.events, "payload": json.dumps(PAYLOAD)}
        connection.execute(EVENTS.encode(), values)
        for statement in indexes:
            connection.execute(statement.encode())
        connection.execute("UPDATE event_counter SET last = %s", [size.events])
        connection.execute("SELECT recount_contracts()")
        connection.execute("UPDATE backfills SET finished_at = now()")
        connection.execute("VACUUM (ANALYZE) contracts, tasks, contract_counts, contract_count_changes")
        connection.execute("VACUUM (FREEZE, ANALYZE) events")  # or autovacuum does, while the dashboard is looked at
        connection.execute("CHECKPOINT")


def hear(url: str) -> None:
    """Rows of those that are carried as heartbeats keep them: each was heard within the last two minutes.

    Without it filling in takes so long that the first round of heartbeats would have to bring every row up to date.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(HEARD.encode())
        connection.execute("VACUUM (ANALYZE) contracts, contract_count_changes")
        connection.execute("CHECKPOINT")


def _without_indexes(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Take its indexes away; the statements that make them again."""
    query = (
        "SELECT indexname, indexdef, conname FROM pg_indexes"
        " LEFT JOIN pg_constraint ON conname = indexname WHERE tablename = %s"
    )
    again = []
    for name, definition, constraint in connection.execute(query.encode(), [table]).fetchall():
        if constraint is not None:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
            again.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} PRIMARY KEY (seq)")
        else:
            connection.execute(f"DROP INDEX {name}".encode())
            again.append(definition)
    return again


def _contracts(connection: psycopg.Connection[Any], size: Size, now: datetime) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY contracts ({COLUMNS}) FROM STDIN".encode()) as copy:
            for number in range(size.contracts):
                copy.write_row(_row(number, size, now))
        tasks = "COPY tasks (id, contract_id, phase, name, state, created_at) FROM STDIN"
        with cursor.copy(tasks.encode()) as copy:
            for number in range(size.contracts):
                for row in _tasks(number, size, now):
                    copy.write_row(row)


def _row(number: int, size: Size, now: datetime) -> tuple[Any, ...]:
    status = status_of(number, size)
    carried = number < size.carried
    silent = status == "active" and not carried
    at = now - SILENT - timedelta(seconds=number % 86_400) if silent else now
    created = now - timedelta(seconds=(size.contracts - number) * 10)
    phase = PHASES[number * 7 % len(PHASES)]
    running = int(_runs(number, status))
    watched = at if status in ("active", "waiting_for_input") else None
    waiting = "answer: Which of the two databases?" if status == "waiting_for_input" else None
    return (
        contract_id(number),
        NAMESPACE if carried else f"team-{number % (NAMESPACES - 1):02d}",
        f"work-{number:06d}",
        "specification",
        status,
        phase,
        list(PHASES),
        100,
        number + 1,
        created,
        at,
        at,
        at,
        waiting,
        running,
        0,
        running,
        watched,
    )


def status_of(number: int, size: Size) -> str:
    """Most of those that nobody carries are finished."""
    if number % 50 == 0:
        return "waiting_for_input"
    if number < size.carried:
        return "active"
    return ("completed", "completed", "failed", "archived", "active", "paused", "completed")[number % 7]


def _runs(number: int, status: str) -> bool:
    return status == "active" and number % 3 == 0


def _tasks(number: int, size: Size, now: datetime) -> Iterator[tuple[Any, ...]]:
    uid: UUID = contract_id(number)
    for place in range(TASKS):
        yield uuid5(uid, f"{place}"), uid, "plan", f"task-{place}", "completed", now
    if _runs(number, status_of(number, size)):
        yield uuid5(uid, "running"), uid, "plan", "task-running", "running", now
