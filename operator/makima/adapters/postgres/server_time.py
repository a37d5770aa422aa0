"""What time it is for Postgres."""

from __future__ import annotations

from datetime import datetime

import psycopg

from makima.errors import HistoryUnavailable

CONNECT_SECONDS = 5


async def server_time(url: str) -> datetime:
    """Now, by the clock of the server.

    Raises:
        HistoryUnavailable: it does not answer.
    """
    try:
        async with await psycopg.AsyncConnection.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            row = await (await connection.execute("SELECT clock_timestamp()")).fetchone()
    except psycopg.Error as error:
        raise HistoryUnavailable(f"Postgres does not answer: {error}") from None
    assert row is not None
    found: datetime = row[0]
    return found
