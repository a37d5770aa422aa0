"""How things are written on a terminal: columns and colours. Others' words never steer the terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

import click

GAP = "   "
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Control characters, and those that are not seen or turn the direction of writing: what an agent wrote could hide in
them."""

COLORS = {
    "Created": "cyan",
    "Active": "blue",
    "WaitingForInput": "yellow",
    "Paused": "yellow",
    "Blocked": "red",
    "Completing": "blue",
    "Completed": "green",
    "Failed": "red",
    "Archived": "bright_black",
    "healthy": "green",
    "attention": "yellow",
    "unhealthy": "red",
}
"""Colours repeat what the words say, for those who see them."""


SGR = re.compile(r"(\x1b\[[0-9;]{0,32}m)")
"""Colours, which a program's log may keep."""


def readable(line: str) -> str:
    """A line of a program's log: with its colours, without what else would steer a terminal."""
    parts = SGR.split(line)
    return "".join(part if SGR.fullmatch(part) else CONTROL.sub(" ", part.replace("\t", "    ")) for part in parts)


def plain(text: object) -> str:
    """One line without anything that steers a terminal."""
    return CONTROL.sub(" ", str(text)).strip()


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a command writes.

    Attributes:
        color: False = never; None = where it is a terminal and NO_COLOR is not set.
    """

    color: bool | None = None

    @property
    def colored(self) -> bool:
        """Whether to write colours."""
        if self.color is not None:
            return self.color
        return not os.environ.get("NO_COLOR") and self.terminal

    @property
    def terminal(self) -> bool:
        """Whether somebody looks at it."""
        return sys.stdout.isatty()

    @property
    def asks(self) -> bool:
        """Whether somebody is there who can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def say(self, text: str = "") -> None:
        """A line of the result."""
        click.echo(text, color=self.colored)

    def note(self, text: str) -> None:
        """A line about the result, beside it."""
        click.echo(text, err=True, color=self.colored and sys.stderr.isatty())

    def clear(self) -> None:
        """An empty terminal, to draw again."""
        click.echo("\x1b[H\x1b[2J", nl=False, color=True)

    def progress(self, text: str) -> None:
        """How far long work is: one line that is written over, and only where somebody looks."""
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{plain(text)}", err=True, nl=False, color=True)

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Work of which the progress is told while it goes on, and gone from the terminal when it ends."""
        self.progress(text)
        try:
            yield
        finally:
            self.progress("")

    def paint(self, text: str, color: str | None) -> str:
        """The text in this colour."""
        return click.style(text, fg=color) if self.colored and color else text

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Columns as kubectl writes them; an empty cell stays empty."""
        cells = [[plain(cell) for cell in row] for row in rows]
        widths = [max(width_of(text) for text in column) for column in zip(headings, *cells, strict=True)]
        self.say(_row(headings, widths))
        for row in cells:
            self.say(self._painted(row, widths))

    def _painted(self, row: Sequence[str], widths: Sequence[int]) -> str:
        line = _row(row, widths)
        for cell in row:
            if cell in COLORS:
                line = line.replace(cell, self.paint(cell, COLORS[cell]), 1)
        return line


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - width_of(cell)) for cell, width in zip(cells, widths, strict=True))
    return GAP.join(padded).rstrip()


def width_of(text: str) -> int:
    """Cells that it takes on a terminal: some letters take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(char) in "WF" else 0 if combining(char) else 1 for char in text)


def cut(text: str, width: int) -> str:
    """At most so many cells of it; what is left out is an ellipsis."""
    if width_of(text) <= width:
        return text
    kept = text[: width - 1]
    while width_of(kept) >= width:
        kept = kept[:-1]
    return kept + "…"
