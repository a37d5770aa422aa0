"""`makima.stores.ContractLists`: pages of the projection, each at a bounded price (queries/lists.sql)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from makima.adapters.postgres.database import Database
from makima.adapters.postgres.decoding import contract_row
from makima.adapters.postgres.sql import load
from makima.models.contract_filter import ContractFilter, ListedContract, ListedPage
from makima.models.history import Place

SQL = load("lists")

ROWS = 5000
"""Rows that one call looks at."""

LAST_ID = UUID(int=2**128 - 1)


class PostgresContractLists:
    """Lists of contracts, also of those that are gone."""

    def __init__(self, database: Database, rows: int = ROWS) -> None:
        self._database, self._rows = database, rows

    async def page(self, wanted: ContractFilter, after: Place | None, limit: int, now: datetime) -> ListedPage:
        """The next contracts that fit, newest first, at most `limit`; and where to go on.

        Raises:
            HistoryUnavailable: Postgres is away.
        """
        where = "everywhere" if wanted.namespaces is None else "in_namespaces"
        parameters = _parameters(wanted, after, now) | {"rows": self._share(wanted), "limit": limit + 1}
        end = await self._query(SQL[f"end_{where}"], parameters)
        last = Place(end[0]["created_at"], end[0]["uid"]) if end else None
        until = {"end_at": last.at, "end_id": last.id} if last else {"end_at": "-infinity", "end_id": UUID(int=0)}
        found = [_listed(row) for row in await self._query(SQL[f"page_{where}"], parameters | until)]
        if len(found) > limit:
            row = found[limit - 1].row
            last = Place(row.created_at, row.uid)
        return ListedPage(tuple(found[:limit]), last)

    async def caught_up_at(self) -> datetime | None:
        """The moment up to which the list has everything that every operator knew."""
        found: datetime | None = (await self._database.rows(SQL["caught_up"]))[0]["caught_up_at"]
        return found

    def _share(self, wanted: ContractFilter) -> int:
        """Rows to be looked at in each namespace, or everywhere."""
        return max(self._rows // max(len(wanted.namespaces or ()), 1), 1)

    async def _query(self, query: bytes, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Never prepared: a plan for all parameters at once would use no index."""
        async with self._database.connection() as connection:
            cursor = await connection.execute(query, parameters, prepare=False)
            return await cursor.fetchall()


def _parameters(wanted: ContractFilter, after: Place | None, now: datetime) -> dict[str, Any]:
    one = wanted.statuses[0] if wanted.statuses is not None and len(wanted.statuses) == 1 else None
    return {
        "at": after.at if after else "infinity",
        "id": after.id if after else LAST_ID,
        "gone": wanted.gone,
        "status": one,
        "statuses": None if wanted.statuses is None else list(wanted.statuses),
        "namespaces": None if wanted.namespaces is None else sorted(wanted.namespaces),
        "phases": list(wanted.phases) or None,
        "types": list(wanted.types) or None,
        "name": wanted.name,
        "labels": json.dumps(dict(wanted.labels)) if wanted.labels else None,
        "stale": wanted.stale,
        "threshold": wanted.threshold_seconds,
        "usual_threshold": wanted.usual_threshold_seconds,
        "now": now,
    }


def _listed(row: dict[str, Any]) -> ListedContract:
    stale = bool(row.pop("stale"))
    return ListedContract(contract_row(row), stale)
