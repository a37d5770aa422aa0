"""Which migrations there are, and which ones a database has."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from makima.errors import MigrationError
from makima.models.history_schema import BackfillProgress, Migration, SchemaStatus

FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "makima_migrations"
"""Not alembic's default name: the database may be shared with another application that uses alembic."""

BASE = "base"
HEAD = "head"


def alembic_config(connection: Connection | None = None) -> Config:
    """alembic's configuration, without any alembic.ini; `migrations/env.py` takes the connection from it."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def all_migrations() -> tuple[Migration, ...]:
    """Every migration that this code knows, oldest first."""
    newest_first = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return tuple(Migration(script.revision, script.doc) for script in newest_first)[::-1]


def current_revision(connection: Connection) -> str | None:
    """Revision of the database; None if no migration was ever run."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def schema_status(current: str | None, backfills: tuple[BackfillProgress, ...] = ()) -> SchemaStatus:
    """Compare a database's revision with the migrations that this code knows."""
    known = all_migrations()
    names = [migration.revision for migration in known]
    newer = current is not None and current not in names
    count = len(known) if newer else names.index(current) + 1 if current is not None else 0
    return SchemaStatus(current, names[-1], known[:count], known[count:], newer, backfills)


def refuse_newer(status: SchemaStatus) -> None:
    """Refuse to change a schema that a newer makima made.

    Raises:
        MigrationError: this code does not know the database's revision.
    """
    if status.newer:
        raise MigrationError(
            f"the database is at migration {status.current}, this makima knows only up to {status.head}",
            "use the makima that made it, or run its `makima migrate down` first",
        )


def resolve(revision: str, status: SchemaStatus) -> str:
    """The revision that `revision` means: a name, `head` or `base`.

    Raises:
        MigrationError: there is no such migration.
    """
    if revision == HEAD:
        return status.head
    known = [migration.revision for migration in (*status.applied, *status.pending)]
    if revision != BASE and revision not in known:
        raise MigrationError(f"there is no migration {revision!r}", f"one of: base, {', '.join(known)}, head")
    return revision
