"""Migrations on a real Postgres: up, down and up again over rows, on live systems, by two at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from makima.adapters.postgres import migrate
from makima.adapters.postgres.schema_check import known_revisions
from makima.errors import MigrationError

REVISIONS = known_revisions()
STEPS = list(zip(("base", *REVISIONS), REVISIONS, strict=False))

BASE_CONTRACT = b"INSERT INTO contracts (uid, namespace, name, type, phase) VALUES (%s, 'n', %s, 'simple', 'plan')"
NEXT_EVENT = b"""
WITH counter AS (UPDATE event_counter SET last = last + 1 RETURNING last)
INSERT INTO events (seq, id, contract_id, namespace, contract_name, type, at)
SELECT last, gen_random_uuid(), gen_random_uuid(), 'n', 'c', 'T', now() FROM counter
"""


SUPERVISORS = b"""
DO $$
DECLARE someone uuid := gen_random_uuid(); place text := 'supervisor_heartbeats_' || substr(md5(random()::text), 1, 8);
BEGIN
    IF to_regclass('supervisors') IS NULL THEN RETURN; END IF;
    INSERT INTO supervisors (contract_id, task_id, namespace, name) VALUES (someone, gen_random_uuid(), 'n', 's');
    IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'supervisor_heartbeats'::regclass) THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF supervisor_heartbeats DEFAULT', place);
    END IF;
    INSERT INTO supervisor_heartbeats (supervisor_task_id, contract_id, incarnation, sequence, state, phase)
        VALUES (gen_random_uuid(), someone, 1, 1, 'working', 'plan');
    INSERT INTO supervisor_states (contract_id, task_id, incarnation, revision, payload, checksum)
        VALUES (someone, gen_random_uuid(), 1, 1, '{}', 'c');
    INSERT INTO supervisor_messages (contract_id, sequence, id, incarnation, role, content)
        VALUES (someone, 1, gen_random_uuid(), 1, 'user', 'hello');
    INSERT INTO supervisor_checkpoints (contract_id, number, incarnation, message_sequence, payload, checksum)
        VALUES (someone, 1, 1, 1, '{}', 'c');
    INSERT INTO questions (id, contract_id, incarnation, phase, text) VALUES (someone, someone, 1, 'plan', 'Which?');
    UPDATE tasks SET incarnation = 1;
    INSERT INTO commands (id, contract_id, kind) VALUES (someone, someone, 'pause');
    INSERT INTO ingest_coverage (instance, started_at, until_at) VALUES (someone::text, now(), now());
END $$
"""
"""A row in each table of supervisors, where the schema has them."""


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url, autocommit=True)


def add_rows(url: str, count: int = 200) -> None:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(BASE_CONTRACT, [(uuid4(), f"c{number}") for number in range(count)])
        cursor.executemany(NEXT_EVENT, [() for _ in range(count)])
        cursor.execute("INSERT INTO tasks VALUES (gen_random_uuid(), gen_random_uuid(), 'plan', 't', 'running')")
        cursor.execute(SUPERVISORS)


def shape(url: str) -> list[object]:
    """Every column, index and constraint of the schema, in words."""
    with connect(url) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position"
        ).fetchall()
        indexes = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        invalid = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchall()
    return [columns, indexes, invalid]


@pytest.mark.parametrize(("before", "revision"), STEPS)
def test_each_migration_goes_up_down_and_up_over_rows(empty_database_url: str, before: str, revision: str) -> None:
    url = empty_database_url
    migrate.upgrade(url, before if before != "base" else REVISIONS[0])
    if before == "base":
        migrate.downgrade(url, "base")
    else:
        add_rows(url)
    shape_before = shape(url)
    migrate.upgrade(url, revision)
    shape_after = shape(url)
    add_rows(url)  # after it: rows of supervisors bring a partition
    assert migrate.downgrade(url, before).current == (None if before == "base" else before)
    assert shape(url) == shape_before
    assert migrate.upgrade(url, revision).current == revision
    assert shape(url) == shape_after


def test_rows_survive_every_migration(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url, REVISIONS[0])
    add_rows(empty_database_url, 50)
    migrate.upgrade(empty_database_url)
    with connect(empty_database_url) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            for table in ("contracts", "events", "tasks")
        ]
    assert counts == [(50,), (50,), (1,)]


def test_the_plans_columns_and_indexes_are_there(database_url: str) -> None:
    with connect(database_url) as connection:
        columns = {
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'contracts'"
            )
        }
        indexes = dict(
            connection.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'contracts'").fetchall()
        )
    assert columns >= {
        "status",
        "status_changed_at",
        "last_activity_at",
        "waiting_for",
        "blocked_reason",
        "failure_reason",
        "auto_complete_enabled",
        "completion_detected_at",
        "created_at",
        "updated_at",
    }
    assert "(status)" in str(indexes["idx_contracts_status"])
    assert "(last_activity_at)" in str(indexes["idx_contracts_last_activity"])


def test_old_rows_do_not_get_the_moment_of_the_migration_as_their_last_activity(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url, "0001")
    add_rows(empty_database_url, 3)
    migrate.upgrade(empty_database_url)
    add_rows(empty_database_url, 2)
    with connect(empty_database_url) as connection:
        found = connection.execute(
            "SELECT count(*) FILTER (WHERE last_activity_at IS NULL), count(last_activity_at) FROM contracts"
        ).fetchone()
    assert found == (3, 2)


def test_two_movers_at_once_end_with_the_same_schema(empty_database_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        moved = list(pool.map(lambda _: migrate.upgrade(empty_database_url, wait_seconds=30), range(3)))
    assert [status.current for status in moved] == [REVISIONS[-1]] * 3


def test_a_mover_that_waits_too_long_says_who_holds_it_up(empty_database_url: str) -> None:
    with connect(empty_database_url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [migrate.ADVISORY_LOCK])
        with pytest.raises(MigrationError, match="another `makima migrate` holds the lock"):
            migrate.upgrade(empty_database_url, wait_seconds=0.3)


def test_a_migration_gives_way_to_a_long_transaction_and_comes_again(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from makima.adapters.postgres.migrations import plain_sql

    monkeypatch.setattr(plain_sql, "LOCK_TIMEOUT", "200ms")
    migrate.upgrade(empty_database_url, "0001")
    with psycopg.connect(empty_database_url) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("SELECT count(*) FROM contracts")
        move = pool.submit(migrate.upgrade, empty_database_url, "0002", wait_seconds=30)
        with connect(empty_database_url) as writer:
            for number in range(20):  # none of them may wait behind the DDL for longer than its lock timeout
                started = time.monotonic()
                writer.execute(BASE_CONTRACT, (uuid4(), f"w{number}"))
                assert time.monotonic() - started < 2
                time.sleep(0.05)
        assert not move.done()
        reader.rollback()
        assert move.result(30).current == "0002"


@contextmanager
def live_writer(url: str, longest: list[float]) -> Iterator[list[int]]:
    """Writes as the code of 0001 did, again and again, on a connection of its own."""
    written, stop = [0], threading.Event()

    def write() -> None:
        with connect(url) as connection:
            while not stop.is_set():
                started = time.monotonic()
                connection.execute(BASE_CONTRACT, (uuid4(), "live"))
                connection.execute(NEXT_EVENT)
                longest[0] = max(longest[0], time.monotonic() - started)
                written[0] += 1

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(write)
        try:
            yield written
        finally:
            stop.set()
            work.result(30)


def test_a_live_writer_of_the_first_schema_goes_on_through_all_migrations(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url, "0001")
    add_rows(empty_database_url, 2000)
    longest = [0.0]
    with live_writer(empty_database_url, longest) as written:
        until(lambda: written[0] > 20)
        migrate.upgrade(empty_database_url, wait_seconds=60)
        at_the_end = written[0]
        until(lambda: written[0] > at_the_end + 20)
    assert at_the_end > 20
    assert longest[0] < 3  # the lock timeout of DDL, and a second for a busy machine


def until(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interrupted_index_build_is_mended_by_running_it_again(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url, "0002")
    with connect(empty_database_url) as connection:
        connection.execute("CREATE INDEX idx_contracts_status ON contracts (name)")  # as if left behind
    migrate.upgrade(empty_database_url)
    assert "CREATE INDEX idx_contracts_status ON public.contracts USING btree (status)" in str(
        shape(empty_database_url)
    )


def test_going_up_again_changes_nothing(database_url: str) -> None:
    before = shape(database_url)
    migrate.upgrade(database_url)
    migrate.upgrade(database_url, "0001")
    assert shape(database_url) == before


def test_a_newer_schema_is_left_alone(database_url: str) -> None:
    with connect(database_url) as connection:
        connection.execute("UPDATE makima_migrations SET version_num = '9999'")
    assert migrate.status(database_url).newer
    for move in (lambda: migrate.upgrade(database_url), lambda: migrate.downgrade(database_url, "base")):
        with pytest.raises(MigrationError, match="is at migration 9999, this makima knows only up to"):
            move()


@pytest.mark.parametrize(("to", "message"), [("0042", "there is no migration '0042'"), ("0007", "0007 is not applied")])
def test_a_target_that_cannot_be_reached_is_named(empty_database_url: str, to: str, message: str) -> None:
    migrate.upgrade(empty_database_url, "0002")
    with pytest.raises(MigrationError, match=message):
        migrate.downgrade(empty_database_url, to)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://bob:s3cret@db/x", "MAKIMA_DATABASE_URL"),
        ("postgresql://bob:s3cret@127.0.0.1:1/x", "Connection refused(?s:.*)that Postgres is up"),
    ],
)
def test_a_wrong_url_is_explained_without_showing_the_password(url: str, message: str) -> None:
    with pytest.raises(MigrationError, match=message) as caught:
        migrate.status(url)
    assert "s3cret" not in str(caught.value)


def test_a_role_without_permission_is_told_what_it_needs(empty_database_url: str) -> None:
    role = f"role_{uuid4().hex}"
    with connect(empty_database_url) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'".encode())
        try:
            with pytest.raises(MigrationError, match="permission denied(?s:.*)CREATE on the schema"):
                migrate.upgrade(psycopg.conninfo.make_conninfo(empty_database_url, user=role, password="secret"))
        finally:
            connection.execute(f"DROP ROLE {role}".encode())


def test_a_database_that_cannot_hold_unicode_is_refused(empty_database_url: str) -> None:
    name = f"latin_{uuid4().hex}"
    with connect(empty_database_url) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'".encode())
        try:
            with pytest.raises(MigrationError, match="encoding is LATIN1"):
                migrate.upgrade(psycopg.conninfo.make_conninfo(empty_database_url, dbname=name))
        finally:
            connection.execute(f"DROP DATABASE {name}".encode())
