"""What a migration does: run the `.up.sql` or `.down.sql` file that lies beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import psycopg
from alembic import op

OUTSIDE = "-- outside a transaction"
"""First line of a script whose statements cannot run in a transaction (CREATE INDEX CONCURRENTLY)."""

LOCK_TIMEOUT = "2s"
"""How long DDL may queue for a table: whoever comes after it in that queue waits as long."""


def run_beside(migration: str, direction: Literal["up", "down"]) -> None:
    """Run the SQL of the migration file `migration` (its `__file__`) in this direction."""
    script = Path(migration).with_suffix(f".{direction}.sql").read_text(encoding="utf-8")
    if not script.startswith(OUTSIDE):
        _execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        _execute(script)
        return
    # No time limit: a concurrent build is in no writer's way, and has to wait for every older transaction.
    with op.get_context().autocommit_block():
        for statement in statements(script):
            _execute(statement)


def statements(script: str) -> list[str]:
    """The statements of a script, one at a time (no semicolons inside strings in these files)."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    return [part.strip() for part in "\n".join(lines).split(";") if part.strip()]


def _execute(script: str) -> None:
    # Straight through psycopg: SQLAlchemy would read `%` and `:` in the script as placeholders.
    connection = cast("psycopg.Connection[object]", op.get_bind().connection.driver_connection)
    connection.execute(script.encode())
