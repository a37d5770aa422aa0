"""A question and a COPY that depends on its answer: one transaction, and two journeys to Postgres instead of five.

Both go out as one query string, which Postgres runs as one transaction without BEGIN and COMMIT: committed before it
says that the COPY is complete, rolled back as a whole by any error or by the end of the connection. psycopg's `copy()`
takes one statement at a time, hence its generators here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from psycopg import errors, generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from makima.adapters.postgres.database import Connection

CHUNK = 128 * 1024
"""Bytes that are handed to libpq at once: with very large ones it would never find room."""


async def checked_copy(connection: Connection, question: bytes, copy: bytes, data: Callable[[PGresult], bytes]) -> None:
    """Ask, and store what follows from the answer.

    Args:
        question: one SELECT; values are literals.
        copy: one `COPY … FROM STDIN`.
        data: what to store, by the answer (values are text). It must not raise: the COPY has begun.

    Raises:
        psycopg.Error: nothing was stored; of an error that breaks the connection nobody knows.
    """
    async with connection.lock:
        await connection.wait(_exchange(connection.pgconn, question + b";" + copy, data))


def _exchange(pgconn: PGconn, query: bytes, data: Callable[[PGresult], bytes]) -> PQGen[None]:
    pgconn.send_query(query)
    *answers, last = yield from generators.execute(pgconn)
    if last.status != ExecStatus.COPY_IN:
        raise errors.error_from_result(last)
    for chunk in _chunks(data(answers[0])):
        yield from generators.copy_to(pgconn, chunk)
    yield from generators.copy_end(pgconn, None)


def _chunks(data: bytes) -> Iterator[bytes]:
    if len(data) <= CHUNK:
        yield data
        return
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]
