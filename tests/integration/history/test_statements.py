"""Every SQL block is one that Postgres can prepare against the migrated schema, so no column of it is missing."""

from __future__ import annotations

import re

import psycopg
import pytest

from makima.adapters.postgres import sql

BLOCKS = [(path.stem, name) for path in sorted(sql.FOLDER.glob("*.sql")) for name in sql.load(path.stem)]
PLACEHOLDER = re.compile(rb"%\((\w+)\)s")


def numbered(query: bytes) -> bytes:
    names = list(dict.fromkeys(PLACEHOLDER.findall(query)))
    return PLACEHOLDER.sub(lambda found: b"$%d" % (names.index(found.group(1)) + 1), query)


@pytest.mark.parametrize(("file", "name"), BLOCKS)
def test_every_block_can_be_prepared(database_url: str, file: str, name: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(b"PREPARE checked AS " + numbered(sql.load(file)[name]))
