"""The event log as text."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from makima.tui.ages import when
from makima.tui.appearance import GREY, WHITE
from makima.tui.happenings import look_of, sentence
from makima.tui.source import Happening

NAME = 24
"""Cells of a name, so that what happened stands below what happened; a longer one moves its own line only."""


def log_line(event: Happening, now: datetime, *, named: bool) -> Text:
    """One event: when, what kind, of which contract (where that is not plain), what."""
    look = look_of(event)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{when(event.at, now)} ", style=GREY)
    text.append(f"{look.symbol} {look.word:<12}", style=look.colour)
    if named:
        text.append(f"{f'{event.key[0]}/{event.key[1]}':<{NAME}}  ", style=WHITE)
    text.append(sentence(event), style=GREY if named else WHITE)
    return text
