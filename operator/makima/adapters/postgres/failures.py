"""psycopg's errors in words that say what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from makima.errors import ValuesRefused

UNREACHABLE = "check MAKIMA_DATABASE_URL (postgresql://USER:PASSWORD@HOST:PORT/DATABASE) and that Postgres is up"
NOT_MIGRATED = "run `makima migrate up` with this version of makima"
NO_PERMISSION = (
    "the role needs CONNECT on the database, USAGE on the schema and SELECT, INSERT, UPDATE on its tables; "
    "for `makima migrate` also CREATE on the schema and ownership of the tables"
)
TOO_SLOW = "another transaction holds what this one needs: see pg_stat_activity"
COUNTER_BEHIND = (
    "event_counter.last is below the highest events.seq, as after restoring tables from different backups: "
    "UPDATE event_counter SET last = (SELECT max(seq) FROM events)"
)

PASSWORD = re.compile(r"//[^@/\s]*@")
"""User and password in a URL: libpq repeats a URL that it can't read."""

HINTS: tuple[tuple[tuple[type[psycopg.Error], ...], str], ...] = (
    ((errors.InsufficientPrivilege,), NO_PERMISSION),
    ((errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction), NOT_MIGRATED),
    ((errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected), TOO_SLOW),
    ((errors.UniqueViolation,), COUNTER_BEHIND),
    ((errors.ReadOnlySqlTransaction,), "the URL names a read-only replica: use the primary"),
    ((psycopg.OperationalError, psycopg.ProgrammingError), UNREACHABLE),
)

ABOUT_THE_DATA = (
    psycopg.DataError,
    errors.NotNullViolation,
    errors.CheckViolation,
    errors.ProgramLimitExceeded,
    errors.StatementTooComplex,
)
"""Not UniqueViolation: that speaks of what else is in the table."""


def hint_for(error: psycopg.Error) -> str | None:
    """What to do about it, where that is known."""
    for kinds, hint in HINTS:
        if isinstance(error, kinds):
            return hint
    return None


def describe(error: BaseException) -> str:
    """The first lines of a database error, without the position marker and without a password."""
    shown = PASSWORD.sub("//***@", str(error))
    lines = [line.strip() for line in shown.splitlines() if line.strip() and line.strip() != "^"]
    return "; ".join(lines[:3]) or type(error).__name__


def is_about_the_data(error: psycopg.Error) -> bool:
    """Whether the same values would fail again: a value out of range, too large, or against a constraint."""
    return isinstance(error, ABOUT_THE_DATA)


def is_a_lost_connection(error: BaseException | None) -> bool:
    """Whether the server ended the connection, or it was found dead: the next one may work."""
    if isinstance(error, errors.AdminShutdown | errors.CrashShutdown):
        return True
    return type(error) is psycopg.OperationalError and error.sqlstate is None


@contextmanager
def refusing_bad_values() -> Iterator[None]:
    """Turn what the driver says of values that can't be stored, nor looked for, into an error for the caller.

    Raises:
        ValuesRefused: a lone surrogate, a NUL, a number or time out of range, too large.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise ValuesRefused(f"a text is not Unicode: {error.reason} at character {error.start}") from error
    except psycopg.Error as error:
        if not is_about_the_data(error):
            raise
        raise ValuesRefused(describe(error)) from error
