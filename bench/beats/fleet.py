"""Who sends heartbeats, and what they send: the same in the load generator, in its twins and in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

CONTRACTS, TASKS = 0xC0 << 120, 0x7A << 120
"""First bytes of the ids; the rest is the supervisor's number, spread so that the index is not filled in order."""

SPREAD = 0x9E3779B97F4A7C15
CURRENT, OLD = 2, 1
"""The incarnation that may write, and the one that it replaced."""

PHASE, STRAY_PHASE = "build", "stray"
"""What is to be stored, and what must not be."""

ACTIVITY = "running the tests of the storage layer"
FIRST_SEQUENCE = 10_000_000
"""Sequences have eight digits, so that every body of a supervisor has the same length."""

STRAYS = 200
"""One in so many carries an old incarnation, and as many a foreign token: 1 % of the traffic together."""


def contract_id(number: int) -> UUID:
    """The contract of this supervisor."""
    return UUID(int=CONTRACTS | ((number * SPREAD) % 2**64) << 32 | number)


def task_id(number: int) -> UUID:
    """UID of this supervisor."""
    return UUID(int=TASKS | number)


MARK = b"\x01SEQNUM\x01"
"""In place of the sequence until a body is sent; as long as one."""


class Template:
    """Bytes that are the same every time but for the sequence."""

    __slots__ = ("_parts",)

    def __init__(self, text: bytes) -> None:
        self._parts = text.split(MARK)

    def at(self, sequence: int) -> bytes:
        """With this sequence."""
        return str(sequence).encode().join(self._parts)


def entry(number: int, *, old: bool = False, stray: bool = False) -> bytes:
    """A heartbeat as JSON, with MARK for its sequence."""
    return (
        b'{"contract_id":"%s","task_id":"%s","incarnation":%d,"sequence":%s,"state":"working","phase":"%s",'
        b'"current_activity":"%s","progress":40}'
    ) % (
        str(contract_id(number)).encode(),
        str(task_id(number)).encode(),
        OLD if old else CURRENT,
        MARK,
        (STRAY_PHASE if old or stray else PHASE).encode(),
        ACTIVITY.encode(),
    )


def request(host: str, path: str, token: str, body: bytes) -> bytes:
    """An HTTP/1.1 request; every MARK in the body is as long as what takes its place."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def batch(entries: Sequence[bytes], *, frame: bool = False) -> bytes:
    """The body of a batch, or of a frame whose number is the sequence, too."""
    number = b'"frame":' + MARK + b"," if frame else b""
    return b"{" + number + b'"heartbeats":[' + b",".join(entries) + b"]}"
