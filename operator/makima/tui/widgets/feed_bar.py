"""The status line: live, by which ways, or stale since when."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from makima.tui.appearance import GREEN, GREY, ORANGE
from makima.tui.feed import Feed, feed_line
from makima.tui.widgets.words import Words


class FeedBar(Words):
    """One line while all is well; what is missing, and why, comes in further ones."""

    def show(self, feed: Feed, now: datetime) -> None:
        """Say how the data comes."""
        line = feed_line(feed, now)
        text = Text().append(line.short, style=f"bold {GREEN if line.good else ORANGE}")
        if line.detail:
            text.append(f"  {line.detail}", style=GREY)
        self.update(text)
