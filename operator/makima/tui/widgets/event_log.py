"""The latest events, newest at the bottom; it stays at the bottom unless a person scrolled away from it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from makima.tui.log_lines import log_line
from makima.tui.source import Happening


class EventLog(VerticalScroll, can_focus=False):
    """One line for each event."""

    def compose(self) -> ComposeResult:
        """One text: a few hundred lines are cheaper than a few hundred widgets."""
        yield Static(id="lines")

    def show(self, events: Sequence[Happening], *, named: bool, note: str = "") -> None:
        """Show these, oldest first; `note` stands above them."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        lines = [log_line(event, named=named) for event in events]
        text = Text("\n").join([Text(note), *lines] if note else lines)
        self.query_one("#lines", Static).update(text)
        if at_end:
            self.call_after_refresh(self.scroll_end, animate=False)
