"""Everything that waits for a person, oldest first."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, OptionList

from makima.tui.ages import ago
from makima.tui.appearance import GREY, ORANGE, SKY, WHITE
from makima.tui.screens.deeds import DeedScreen
from makima.tui.source import Key
from makima.tui.waits import Wait, inbox
from makima.tui.widgets.feed_bar import FeedBar
from makima.tui.widgets.marked_options import MarkedOptions
from makima.tui.widgets.words import Words
from makima.tui.world import Touched

SHOWN = 100
"""Entries: it is worked through from the oldest, and thousands of them would take seconds for each key."""


class InboxScreen(DeedScreen):
    """One entry for each thing that waits; answered and confirmed from here."""

    PARTS = ("#title", "FeedBar", "#inbox", "#nothing")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,i", "back", "Back"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[Wait] = []
        self._all: list[Wait] = []

    def compose(self) -> ComposeResult:
        """How many, status line, the entries."""
        with Vertical(id="top"):
            yield Words(id="title")
            yield FeedBar(id="feed")
        yield MarkedOptions(id="inbox")
        yield Words(id="nothing")
        yield Footer(show_command_palette=False, compact=True)

    def subject(self) -> Key | None:
        """The contract of the entry that is chosen."""
        wait = self._chosen()
        return wait.key if wait is not None else None

    def chosen_question(self) -> str | None:
        """The question of the entry that is chosen."""
        wait = self._chosen()
        return wait.question.id if wait is not None and wait.question is not None else None

    def show_all(self) -> None:
        """Everything from what is so now; the same entry stays chosen."""
        before, entries = self._chosen(), self.query_one("#inbox", MarkedOptions)
        now = self.monitor.now()
        self._all = self._read()
        self.waits = self._all[:SHOWN]
        entries.show([self._entry(wait, now) for wait in self.waits], divided=True)
        if self.waits:
            entries.highlighted = self._same(before)
        entries.display = bool(self.waits)
        entries.focus()
        nothing = self.query_one("#nothing", Words)
        nothing.display = not self.waits
        nothing.update("Nothing waits for a person. Esc goes back to the list.")
        self.query_one("#title", Words).update(_title(self.monitor.options.place, len(self._all)))
        self._show_feed()

    def world_changed(self, touched: Touched) -> None:
        """Something may wait, or wait no longer."""
        if touched.rows and self._read() != self._all:
            self.show_all()
        if touched.feed:
            self._show_feed()

    def time_passed(self) -> None:
        """Entries are older now."""
        now = self.monitor.now()
        self.query_one("#inbox", MarkedOptions).renew(self._entry(wait, now) for wait in self.waits)
        self._show_feed()

    @on(OptionList.OptionSelected)
    def opened(self, event: OptionList.OptionSelected) -> None:
        """Enter does what the entry waits for, or opens it."""
        self.monitor.open_contract(self.waits[event.option_index].key)

    def action_back(self) -> None:
        """Back to where one came from."""
        self.app.pop_screen()

    def action_move(self, by: int) -> None:
        """The next entry."""
        entries = self.query_one("#inbox", OptionList)
        if by > 0:
            entries.action_cursor_down()
        else:
            entries.action_cursor_up()

    def _read(self) -> list[Wait]:
        world = self.monitor.world
        shown = (world.contracts[row.key] for row in world.rows.values() if self.monitor.always(row))
        return inbox(shown, world.supervisors, self.monitor.now())

    def _chosen(self) -> Wait | None:
        place = self.query_one("#inbox", OptionList).highlighted
        return self.waits[place] if place is not None and place < len(self.waits) else None

    def _same(self, before: Wait | None) -> int:
        for number, wait in enumerate(self.waits):
            if before is not None and (wait.key, wait.question) == (before.key, before.question):
                return number
        return 0

    def _entry(self, wait: Wait, now: datetime) -> Text:
        return _entry(wait, now, wait.command(self.monitor.caller))

    def _show_feed(self) -> None:
        self.query_one(FeedBar).show(self.monitor.world.feed, self.monitor.now())


def _title(place: str, count: int) -> Text:
    title = Text(f"{place or 'makima'}  ", style=f"bold {WHITE}")
    title.append(f"◆ inbox: {count:,} to look at, oldest first", style=ORANGE if count else GREY)
    if count > SHOWN:
        title.append(f"; the oldest {SHOWN} are shown", style=GREY)
    return title


def _entry(wait: Wait, now: datetime, command: str) -> Text:
    text = Text()
    text.append(f"{wait.key[0]}/{wait.key[1]}", style=f"bold {WHITE}")
    text.append(f"  {ago(wait.reason.since, now)}\n" if wait.reason.since is not None else "\n", style=GREY)
    text.append(f"waits for {wait.text}\n", style=ORANGE)
    if wait.deed.value:
        text.append(f"{wait.deed}   ", style=SKY)
    text.append(f"{'or: ' if wait.deed.value else ''}{command}" if command else "", style=GREY)
    return text
