"""Whether running code and a database fit together; without alembic, which only the migrations need."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from makima.adapters.postgres.failures import NOT_MIGRATED
from makima.errors import HistoryUnavailable

VERSIONS = Path(__file__).parent / "migrations" / "versions"


@cache
def known_revisions() -> tuple[str, ...]:
    """Numbers of the migrations that this code knows, oldest first."""
    return tuple(sorted(path.name.split("_", 1)[0] for path in VERSIONS.glob("*.up.sql")))


def check_revision(current: str | None) -> None:
    """Accept the newest schema that this code knows, and newer ones, since a migration only adds.

    Raises:
        HistoryUnavailable: the schema is older.
    """
    known = known_revisions()
    if current is None or (current in known and current != known[-1]):
        raise HistoryUnavailable(
            f"the database is at migration {current or 'none'}, this makima needs {known[-1]}", NOT_MIGRATED
        )
