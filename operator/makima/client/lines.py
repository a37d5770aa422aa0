"""Lines of a stream, however long: aiohttp reads none of more than 128 KiB, and contracts are longer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import StreamReader

LONGEST = 16 * 1024 * 1024
"""Bytes in a line beyond which it is no line of ours; etcd holds 1.5 MiB."""


async def lines_of(content: StreamReader) -> AsyncGenerator[bytes, None]:
    """Each line without its end; what follows the last end comes as a line too.

    Raises:
        ValueError: a line of more than 16 MiB.
    """
    rest = b""
    async for chunk in content.iter_any():
        first, *more = chunk.split(b"\n")
        rest += first
        for piece in more:
            if rest:
                yield rest
            rest = piece
        if len(rest) > LONGEST:
            raise ValueError(f"a line of more than {LONGEST} bytes")
    if rest:
        yield rest
