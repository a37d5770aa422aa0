"""One contract: what it waits for, phases, tasks, supervisor, and its events as they come."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer

from makima.errors import MakimaError
from makima.models.contract import Contract
from makima.tui import detail
from makima.tui.appearance import GREY
from makima.tui.happenings import is_important, merged, told_by
from makima.tui.rows import row_of
from makima.tui.screens.deeds import DeedScreen
from makima.tui.source import Happening, Key
from makima.tui.waits import waits_of
from makima.tui.widgets.event_log import EventLog
from makima.tui.widgets.feed_bar import FeedBar
from makima.tui.widgets.words import Words
from makima.tui.world import Touched

NARROW = 100
"""Columns below which supervisor and tasks stand under the phases."""

PAST = 200
"""Events of before that are asked for at a time."""

READING = "Events: ↑ ↓ PgUp PgDn Home End; Esc closes"
ONLY = "only what the resource tells"


class DetailScreen(DeedScreen):
    """Everything about one contract."""

    PARTS = ("#title", "FeedBar", "#waiting", "#halves", "#supervisor", "#tasks", "#phases", "#lines")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "restart", "Restart"),
        Binding("e", "events", "Log"),
        Binding("escape,backspace", "back", "Back"),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, key: Key, quiet: bool) -> None:
        super().__init__()
        self.key, self.quiet = key, quiet
        self._shown: Contract | None = None
        self._past: tuple[Happening, ...] = ()
        self._past_problem = ""
        self._reading = self._whole = False

    def compose(self) -> ComposeResult:
        """Headline, status line, what it waits for, then everything else."""
        with Vertical(id="top"):
            yield Words(id="title")
            yield FeedBar(id="feed")
        with VerticalScroll(id="detail"):
            yield Words(id="waiting")
            with Horizontal(id="halves"):
                with Vertical(id="left"):
                    yield Words(id="supervisor", classes="section")
                    yield Words(id="tasks", classes="section")
                with Vertical(id="right"):
                    yield Words(id="phases", classes="section")
        yield EventLog(id="events")
        yield Footer(show_command_palette=False, compact=True)

    def begin(self) -> None:
        """Ask for what happened before; show at once what is known."""
        for name, heading in (
            ("#phases", "Phases"),
            ("#supervisor", "Supervisor"),
            ("#tasks", "Tasks"),
            ("#events", "Events"),
        ):
            self.query_one(name).border_title = heading
        self.query_one(EventLog).can_focus = True
        self.query_one("#detail").focus()
        self._read_more()

    def subject(self) -> Key | None:
        """The contract that is shown."""
        return self.key

    def show_all(self) -> None:
        """Everything from what is so now."""
        self._arrange()
        self._draw()
        self._draw_log()

    def world_changed(self, touched: Touched) -> None:
        """Draw it anew if it is this contract that changed."""
        if self.key in touched.rows:
            self._draw()
        if any(event.key == self.key for event in touched.events):
            self._draw_log()
        if touched.feed:
            self._show_feed()

    def time_passed(self) -> None:
        """Ages are others now."""
        self._draw()

    def on_resize(self) -> None:
        """One column or two."""
        if self.drawn:
            self._arrange()

    def action_back(self) -> None:
        """From the events alone to everything; else back to where one came from."""
        if self.has_class("reading"):
            self.action_events()
        else:
            self.app.pop_screen()

    def action_scroll(self, by: int) -> None:
        """A line further."""
        self.query_one("#detail", VerticalScroll).scroll_relative(y=by, animate=False)

    def action_events(self) -> None:
        """The events alone, to read back in; or everything again."""
        self.toggle_class("reading")
        reading = self.has_class("reading")
        (self.query_one(EventLog) if reading else self.query_one("#detail")).focus()
        self.query_one(EventLog).border_title = READING if reading else "Events"

    @on(EventLog.Top)
    def read_further_back(self) -> None:
        """What happened before the oldest event that is shown."""
        self._read_more()

    def _read_more(self) -> None:
        if not self._reading and not self._whole:
            self._reading = True
            self.run_worker(self._read_past(), exit_on_error=False)

    def _arrange(self) -> None:
        self.query_one("#halves").set_class(self.app.size.width < NARROW, "narrow")

    def _draw(self) -> None:
        contract, now = self.contract(self.key), self.monitor.now()
        self._show_feed()
        title, waiting = self.query_one("#title", Words), self.query_one("#waiting", Words)
        if contract is None:
            self._draw_gone(title, waiting)
            return
        self._follow(contract)
        supervisor = self.monitor.world.supervisors.get(self.key)
        row = self.monitor.world.rows.get(self.key) or row_of(contract, supervisor, None, now)
        title.update(detail.headline(contract, row, now))
        waits = waits_of(contract, supervisor, now)
        said = detail.waiting(waits, now, self.monitor.caller)
        waiting.update(said)
        waiting.display = bool(said.plain)
        waiting.set_class(any(wait.reason.person for wait in waits), "person")
        self.query_one("#phases", Words).update(detail.phases(contract, now))
        carried = contract.status is not None and contract.status.supervisor_ref is not None
        told = detail.supervision(supervisor, row, now, carried=carried)
        self.query_one("#supervisor", Words).update(told)
        tasks = detail.tasks(contract, now)
        self.query_one("#tasks", Words).update(tasks)
        self.query_one("#tasks").display = bool(tasks.plain)

    def _follow(self, contract: Contract) -> None:
        """Another contract of the same name has a history of its own."""
        before, self._shown = self._shown, contract
        if before is not None and before.metadata.uid != contract.metadata.uid:
            self._past, self._past_problem, self._whole = (), "", False
            self._read_more()

    def _draw_gone(self, title: Words, waiting: Words) -> None:
        name = f"{self.key[0]}/{self.key[1]}"
        relabelled = ", or has other labels now" if self.monitor.options.selector else ""
        title.update(Text(f"{name} is gone", style=f"bold {GREY}"))
        waiting.update(
            f"The contract was deleted{relabelled}; below is what was seen last. Esc goes back.\n"
            f"Its history remains: {self.monitor.caller.line('contracts', 'history', name)}"
        )
        waiting.display = True
        waiting.set_class(False, "person")

    def _show_feed(self) -> None:
        self.query_one(FeedBar).show(self.monitor.world.feed, self.monitor.now())

    def _draw_log(self) -> None:
        contract = self._shown
        seen = told_by(contract) if contract is not None else ()
        told = self.monitor.world.events_of(self.key)
        mine = [event for event in told if contract is None or event.contract_id == contract.metadata.uid]
        events = merged((*self._past, *seen), mine)
        shown = [event for event in events if not self.quiet or is_important(event)]
        self.query_one(EventLog).show(shown, self.monitor.now(), named=False, note=self._past_problem)

    async def _read_past(self) -> None:
        contract = self._shown
        if contract is not None:
            await self._read_past_of(contract)
        self._reading = False
        if self._shown is not None and contract is not None and self._shown.metadata.uid != contract.metadata.uid:
            self._read_more()
        if self.drawn:
            self._draw_log()

    async def _read_past_of(self, contract: Contract) -> None:
        oldest = min((event.seq for event in self._past if event.seq is not None), default=None)
        try:
            found = tuple(await self.monitor.source.past_events(contract, PAST, oldest))
        except MakimaError as error:
            self._past_problem = f"{'the events before' if self._past else ONLY}: {error.message}"
            return
        if self._shown is None or self._shown.metadata.uid != contract.metadata.uid:
            return  # another contract has its name by now
        self._past, self._past_problem = (*found, *self._past), ""
        self._whole = len(found) < PAST
