"""Where the schema of the history stands: values for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    revision: str
    title: str


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """How far a backfill is; `finished` means that every row it is about was seen."""

    name: str
    rows_seen: int
    finished: bool


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Where the schema of a database stands against this code.

    Attributes:
        current: revision of the database; None = no migration was ever run.
        head: newest revision that this code knows.
        newer: the database has a revision that this code does not know.
    """

    current: str | None
    head: str
    applied: tuple[Migration, ...]
    pending: tuple[Migration, ...]
    newer: bool
    backfills: tuple[BackfillProgress, ...] = ()


@dataclass(frozen=True, slots=True)
class WrongCount:
    """A count of contracts that is not what their rows say.

    Attributes:
        namespace: "" = all of them together.
        said: contracts by the count; `counted`: by the rows. Equal where only their tasks or worktrees are wrong.
    """

    namespace: str
    status: str
    phase: str
    said: int
    counted: int
