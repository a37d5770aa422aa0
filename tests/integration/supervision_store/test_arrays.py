"""What is written as the text of an array is what Postgres reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import psycopg
import pytest

from makima.adapters.postgres import arrays

MOMENT = datetime(2026, 11, 26, 3, 4, 5, 678901, UTC)


@pytest.mark.parametrize(
    ("kind", "written", "values"),
    [
        ("uuid", arrays.ids, [UUID(int=1), UUID(int=2**128 - 1)]),
        ("bigint", arrays.numbers, [0, -1, 2**53]),
        ("smallint", arrays.numbers, [0, 100]),
        ("timestamptz", arrays.moments, [MOMENT, MOMENT.astimezone(timezone(timedelta(hours=-5))), MOMENT]),
        (
            "text",
            arrays.texts,
            ["", "NULL", "null", " a ", "a,b", "{a}", '"', "\\", '\\"', "\\\\", "\n\t", "é😀", "%s"],
        ),
        *[(kind, write, []) for kind, write in (("uuid", arrays.ids), ("text", arrays.texts))],
    ],
)
def test_postgres_reads_the_same_values(empty_database_url: str, kind: str, written: object, values: list) -> None:
    with psycopg.connect(empty_database_url) as connection:
        row = connection.execute(f"SELECT %s::{kind}[]".encode(), (written(values),), prepare=True).fetchone()
    assert row == (values,)
