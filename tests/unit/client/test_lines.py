"""Lines of a stream come whole, however they were cut on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from makima.client.lines import lines_of


class Content:
    """The reader of an answer, with its pieces given."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def iter_any(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


@given(st.lists(st.binary(max_size=5).map(lambda piece: piece.replace(b"\r", b"\n")), max_size=20))
async def test_lines_are_those_of_the_whole(pieces: list[bytes]) -> None:
    got = [line async for line in lines_of(Content(pieces))]  # type: ignore[arg-type]
    assert got == [line for line in b"".join(pieces).split(b"\n") if line]


async def test_a_line_longer_than_any_buffer_comes_whole() -> None:
    pieces = [b"x" * 65536] * 20 + [b"\n"]
    assert [len(line) async for line in lines_of(Content(pieces))] == [65536 * 20]  # type: ignore[arg-type]
