"""Answers to name queries for services (RFC 1035): A records below svc.cluster.local, nothing forwarded."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping

SUFFIX = ".svc.cluster.local"
ZONE = "cluster.local"
A, IN = 1, 1
NO_ERROR, FORMAT_ERROR, NO_SUCH_NAME, REFUSED = 0, 1, 3, 5
RESPONSE, AUTHORITATIVE = 0x8000, 0x0400
TTL_SECONDS = 1
MOST_RECORDS = 24  # with 16 bytes each they fit into the 512 bytes of a plain datagram


def answer(query: bytes, names: Mapping[str, tuple[str, ...]]) -> bytes | None:
    """The answer to one datagram; None for what is no query, which gets no answer."""
    if len(query) < 12:
        return None
    number, flags, questions = struct.unpack_from("!HHH", query)
    if flags & RESPONSE:
        return None
    parsed = _question(query) if questions == 1 else None
    if parsed is None:
        return struct.pack("!6H", number, RESPONSE | FORMAT_ERROR, 0, 0, 0, 0)
    name, kind, end = parsed
    code, addresses = _look_up(name, kind, names)
    head = struct.pack("!6H", number, RESPONSE | AUTHORITATIVE | (flags & 0x0100) | code, 1, len(addresses), 0, 0)
    records = [struct.pack("!HHHIH", 0xC00C, A, IN, TTL_SECONDS, 4) + address for address in addresses]
    return head + query[12:end] + b"".join(records)


def _look_up(name: str, kind: int, names: Mapping[str, tuple[str, ...]]) -> tuple[int, list[bytes]]:
    if name != ZONE and not name.endswith(f".{ZONE}"):
        return REFUSED, []
    found = names.get(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
    if found is None:
        return NO_SUCH_NAME, []
    return NO_ERROR, [ipaddress.IPv4Address(text).packed for text in found[:MOST_RECORDS]] if kind == A else []


def _question(query: bytes) -> tuple[str, int, int] | None:
    """Name in lower case, type, and where the question ends; None if it is cut or uses a pointer."""
    labels, at = [], 12
    while at < len(query) and query[at]:
        length = query[at]
        label = query[at + 1 : at + 1 + length]
        if length > 63 or len(label) < length:
            return None
        labels.append(label.decode("latin-1").lower())
        at += 1 + length
    if at + 5 > len(query):
        return None
    return ".".join(labels), int.from_bytes(query[at + 1 : at + 3]), at + 5
