"""Where lines begin and end in what comes out of a pipe, whatever the pieces; lines too long to keep are skipped."""

from __future__ import annotations

LONGEST = 4 * 1024 * 1024
"""Bytes of a line that is still read; a tool's output may be in one."""


class LineSplitter:
    """Cuts chunks into lines.

    Attributes:
        skipped: lines longer than the limit, which were left out.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._skipping = False
        self.skipped = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without their ends."""
        *ended, begun = chunk.split(b"\n")
        lines = [line for piece in ended if (line := self._end(piece)) is not None]
        self._keep(begun)
        return lines

    def close(self) -> list[bytes]:
        """The last line, where it had no end."""
        last = self._end(b"")
        return [last] if last else []

    def _end(self, piece: bytes) -> bytes | None:
        self._keep(piece)
        line, skip = bytes(self._rest), self._skipping
        self._rest.clear()
        self._skipping = False
        return None if skip else line.removesuffix(b"\r")

    def _keep(self, piece: bytes) -> None:
        if self._skipping:
            return
        if len(self._rest) + len(piece) > self._longest:
            self._rest.clear()
            self._skipping = True
            self.skipped += 1
        else:
            self._rest += piece
