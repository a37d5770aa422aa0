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
    b"COPY supervisor_heartbeats (supervisor_task_id, contract_id, incarnation, sequence, timestamp, sent_at, progress,"
    b" state, phase, current_activity, pending_task_ids) FROM STDIN (FORMAT binary)"
)

HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
TRAILER = b"\xff\xff"

FIXED = Struct(">hi16si16siqiqiqiqih")
"""Number of columns, then the seven of fixed length with their lengths."""

FIXED_WITHOUT_SENT = Struct(">hi16si16siqiqiqiih")
"""The same for a supervisor that said no time: a length of -1 is NULL."""

LENGTH = Struct(">i")
ARRAY = Struct(">iiiiii")
UUID_OID = 2950

STATES = {state: LENGTH.pack(len(state.snake)) + state.snake.encode() for state in SupervisorState}
NO_TASKS = LENGTH.pack(12) + Struct(">iii").pack(0, 0, UUID_OID)

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST, LATEST = (
    (moment - EPOCH) // MICROSECOND for moment in (datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC))
)


def copy_data(beats: Iterable[Beat]) -> bytes:
    """Everything that `COPY` reads."""
    parts = [HEADER]
    arrived: dict[datetime, int] = {}  # most beats of a group share one moment,
    phases: dict[str, bytes] = {}  # and few phases
    for contract, task, incarnation, sequence, state, phase, activity, progress, tasks, received, sent in beats:
        at = arrived.get(received)
        if at is None:
            at = arrived[received] = (received - EPOCH) // MICROSECOND
        ids = (task.int.to_bytes(16, "big"), contract.int.to_bytes(16, "big"))  # `.bytes` is Python code
        head = (11, 16, ids[0], 16, ids[1], 8, incarnation, 8, sequence, 8, at)
        said = None if sent is None else _said(sent)
        parts.append(
            FIXED_WITHOUT_SENT.pack(*head, -1, 2, progress) if said is None else FIXED.pack(*head, 8, said, 2, progress)
        )
        named = phases.get(phase)
        if named is None:
            named = phases[phase] = _text(phase)
        parts += (STATES[state], named, _text(activity), _uuids(tasks) if tasks else NO_TASKS)
    parts.append(TRAILER)
    return b"".join(parts)


def _said(sent: datetime) -> int | None:
    """None for a time that could be stored, but not be read again (a year beyond Python's calendar)."""
    moment = (sent - EPOCH) // MICROSECOND
    return moment if EARLIEST <= moment <= LATEST else None


def _text(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = clean(text).encode()
    if b"\0" in data:  # one beat must not cost its group
        data = clean(text).encode()
    return LENGTH.pack(len(data)) + data


def _uuids(ids: tuple[UUID, ...]) -> bytes:
    items = b"".join(b"\0\0\0\x10" + item.bytes for item in ids)
    return ARRAY.pack(20 + len(items), 1, 0, UUID_OID, len(ids), 1) + items
