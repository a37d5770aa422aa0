"""Cursors of lists: where a page ended, for the very query that it belongs to, and for an hour.

A cursor only names a place in an order; whoever forges one gets another page of what they may see anyway. So it is not
signed, but it is checked: that nothing was cut or changed, that it is of this query, that it is not old.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from makima.models.history import Place
from makima.models.wire.problem import Code
from makima.services.refusals import Refused, refusal

VALID = timedelta(hours=1)
LENGTH = 128
"""Characters at most."""

FORMAT = struct.Struct(">Bq16sI8s")
VERSION = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIGEST = 8


def encode(place: Place, query: Mapping[str, object], now: datetime) -> str:
    """The cursor for what comes after `place` in this query."""
    micros = (place.at - EPOCH) // timedelta(microseconds=1)
    body = FORMAT.pack(VERSION, micros, place.id.bytes, int(now.timestamp()), _fingerprint(query))
    return base64.urlsafe_b64encode(body + _digest(body)).rstrip(b"=").decode()


def decode(text: str | None, query: Mapping[str, object], now: datetime) -> Place | None:
    """Where to go on; None = at the beginning.

    Raises:
        Refused: VALIDATION_FAILED, it is mangled, expired, or of another query.
    """
    if text is None:
        return None
    body = _checked(text)
    version, micros, identity, issued, fingerprint = FORMAT.unpack(body)
    if version != VERSION:
        raise _bad("it is of another version of makima")
    if fingerprint != _fingerprint(query):
        raise _bad("it belongs to another query: filters, order and contract have to stay the same")
    age = now - datetime.fromtimestamp(issued, tz=UTC)
    if not -VALID <= age <= VALID:
        raise _bad(f"it has expired; one is good for {VALID.total_seconds() / 60:g} minutes")
    try:
        return Place(EPOCH + timedelta(microseconds=micros), UUID(bytes=identity))
    except OverflowError:
        raise _bad("it is none") from None


def _checked(text: str) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _bad("it is none") from None
    body, digest = raw[:-DIGEST], raw[-DIGEST:]
    if len(body) != FORMAT.size or digest != _digest(body):
        raise _bad("it is none")
    return body


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(b"cursor" + body).digest()[:DIGEST]


def _fingerprint(query: Mapping[str, object]) -> bytes:
    named = repr(sorted((key, value) for key, value in query.items() if value not in (None, (), False)))
    return hashlib.sha256(named.encode()).digest()[:8]


def _bad(why: str) -> Refused:
    return refusal(
        Code.VALIDATION_FAILED,
        f"cursor: {why}",
        field="cursor",
        hint="begin again without a cursor, or use next_cursor",
    )
