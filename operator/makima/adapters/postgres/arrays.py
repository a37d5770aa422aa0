"""Arrays as the text that Postgres reads (`{…}`), for bulks: psycopg dumps a list element by element, which costs more
than all else that is done for a heartbeat's row. The statement casts the parameter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from uuid import UUID


def ids(values: Iterable[UUID]) -> str:
    """For `uuid[]`."""
    return f"{{{b''.join([value.int.to_bytes(16, 'big') for value in values]).hex(',', 16)}}}"


def numbers(values: Iterable[int]) -> str:
    """For `bigint[]` and its like."""
    return f"{{{','.join(map(str, values))}}}"


def texts(values: Iterable[str]) -> str:
    """For `text[]`, whatever the texts hold; NUL and lone surrogates have to be gone (`encoding.clean`)."""
    return f"{{{','.join([_quoted(value) for value in values])}}}"


def moments(values: Iterable[datetime]) -> str:
    """For `timestamptz[]`."""
    return f"{{{','.join([_moment(value) for value in values])}}}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


@lru_cache(4096)  # beats of one group share a moment
def _moment(value: datetime) -> str:
    return f'"{value.isoformat()}"'
