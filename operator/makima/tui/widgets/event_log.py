"""The latest events, newest at the bottom; it stays at the bottom unless a person scrolled away from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message

from makima.tui.log_lines import log_line
from makima.tui.source import Happening
from makima.tui.widgets.words import Words


class EventLog(VerticalScroll, can_focus=False):
    """One line for each event."""

    class Top(Message):
        """A person scrolled up to the oldest event that is shown."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._oldest: Happening | None = None

    def compose(self) -> ComposeResult:
        """One text: a few hundred lines are cheaper than a few hundred widgets."""
        yield Words(id="lines")

    def show(self, events: Sequence[Happening], now: datetime, *, named: bool, note: str = "") -> None:
        """Show these, oldest first; `note` stands above them. What a person reads stays where it is."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        before = events.index(self._oldest) if self._oldest in events else 0
        self._oldest = events[0] if events else None
        lines = [log_line(event, now, named=named) for event in events]
        text = Text("\n").join([Text(note), *lines] if note else lines)
        self.query_one("#lines", Words).update(text)
        if at_end:
            self.call_after_refresh(self.scroll_end, animate=False)
        elif before:
            self.call_after_refresh(self.scroll_relative, y=before, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """At the top there may be more, of before."""
        super().watch_scroll_y(old_value, new_value)
        if new_value <= 0 < old_value:
            self.post_message(self.Top())
