"""How many contracts there are, kept by triggers as changes that are folded in here; and whether that is right."""

from __future__ import annotations

import time
from collections.abc import Sequence

from makima.adapters.postgres.database import Database
from makima.adapters.postgres.sql import load
from makima.models.history_schema import WrongCount

SQL = load("counts")

FOLDER_LOCK = 0x6D616B0C01
"""Key of the advisory lock of whoever folds changes in; of a transaction, so that it is never left behind."""

FOLD_ROWS = 5000
FOLD_SECONDS = 1.0
"""How often changes are folded in where contracts change: reading a few thousand of them takes a millisecond."""


class ContractCounts:
    """Folds changes of counts in, checks and repairs counts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._folded_at = -FOLD_SECONDS

    async def fold_if_due(self) -> None:
        """Fold changes in, unless that was done just now.

        Raises:
            HistoryUnavailable: Postgres is away; the next time does it.
        """
        if time.monotonic() - self._folded_at >= FOLD_SECONDS:
            await self.fold()

    async def fold(self) -> int:
        """Fold up to `FOLD_ROWS` changes in; how many it were. Nothing while somebody else does.

        Raises:
            HistoryUnavailable: Postgres is away.
        """
        self._folded_at = time.monotonic()
        rows = await self._database.rows(SQL["fold"], {"key": FOLDER_LOCK, "limit": FOLD_ROWS})
        return int(rows[0]["folded"])

    async def wrong(self) -> Sequence[WrongCount]:
        """Where the counts differ from the rows, at one moment; right also while contracts change.

        Raises:
            HistoryUnavailable: Postgres is away.
        """
        return [WrongCount(**row) for row in await self._database.rows(SQL["check"])]

    async def recount(self) -> None:
        """Count anew; whoever changes contracts waits meanwhile (a tenth of a second for 100,000).

        Raises:
            HistoryUnavailable: Postgres is away, or too many changes are under way.
        """
        async with self._database.connection() as connection:
            await connection.execute(SQL["recount"])
