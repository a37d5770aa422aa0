"""Heartbeats in Postgres' binary COPY format, with as little work for each as there can be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from struct import Struct
from uuid import UUID

from makima.adapters.postgres.encoding import clean
from makima.models.enums import SupervisorState
from makima.models.supervision import Beat

COPY = (
    b"COPY supervisor_heartbeats (supervisor_task_id, contract_id, incarnation, sequence, progress, current_activity,"
    b" timestamp, state, phase, sent_at, pending_task_ids) FROM STDIN (FORMAT binary)"
)

HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
TRAILER = b"\xff\xff"

HEAD = Struct(">hi16si16siqiqihi")
"""Number of columns, the five of fixed length that no two beats share with their lengths, and the activity's length."""

LENGTH = Struct(">i")
ARRAY = Struct(">iiiiii")
UUID_OID = 2950

STATES = {state: LENGTH.pack(len(state.snake)) + state.snake.encode() for state in SupervisorState}
MOMENT = Struct(">iq")
NULL = LENGTH.pack(-1)
NO_TASKS = LENGTH.pack(12) + Struct(">iii").pack(0, 0, UUID_OID)

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST, LATEST = (
    (moment - EPOCH) // MICROSECOND for moment in (datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC))
)


def copy_data(beats: Iterable[Beat]) -> bytes:
    """Everything that `COPY` reads."""
    parts = [HEADER]
    tails: dict[tuple[datetime, SupervisorState, str], bytes] = {}  # most beats of a group share one of a few
    for contract, task, incarnation, sequence, state, phase, activity, progress, tasks, received, sent in beats:
        text = activity.encode() if activity.isascii() and "\0" not in activity else _encoded(activity)
        ids = (task.int.to_bytes(16, "big"), contract.int.to_bytes(16, "big"))  # `.bytes` is Python code
        head = HEAD.pack(11, 16, ids[0], 16, ids[1], 8, incarnation, 8, sequence, 2, progress, len(text))
        tail = tails.get((received, state, phase))
        if tail is None:
            tail = tails[received, state, phase] = _tail(received, state, phase)
        parts += (head, text, tail, NULL if sent is None else _said(sent), _uuids(tasks) if tasks else NO_TASKS)
    parts.append(TRAILER)
    return b"".join(parts)


def _tail(received: datetime, state: SupervisorState, phase: str) -> bytes:
    return MOMENT.pack(8, (received - EPOCH) // MICROSECOND) + STATES[state] + _text(phase)


def _said(sent: datetime) -> bytes:
    """NULL for a time that could be stored, but not be read again (a year beyond Python's calendar)."""
    moment = (sent - EPOCH) // MICROSECOND
    return MOMENT.pack(8, moment) if EARLIEST <= moment <= LATEST else NULL


def _text(text: str) -> bytes:
    data = _encoded(text)
    return LENGTH.pack(len(data)) + data


def _encoded(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return clean(text).encode()
    return clean(text).encode() if b"\0" in data else data  # one beat must not cost its group


def _uuids(ids: tuple[UUID, ...]) -> bytes:
    items = b"".join(b"\0\0\0\x10" + item.bytes for item in ids)
    return ARRAY.pack(20 + len(items), 1, 0, UUID_OID, len(ids), 1) + items
