"""The first screen: all contracts, those that need a person first."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input

from makima.tui.filtering import parse_filter
from makima.tui.happenings import is_important
from makima.tui.listing import Listing
from makima.tui.ordering import Sorting
from makima.tui.screens.deeds import DeedScreen
from makima.tui.source import Happening, Key, LinkState
from makima.tui.titles import nothing_shown, title
from makima.tui.widgets.contract_table import ContractTable
from makima.tui.widgets.event_log import EventLog
from makima.tui.widgets.feed_bar import FeedBar
from makima.tui.widgets.heading_line import HeadingLine
from makima.tui.widgets.words import Words
from makima.tui.world import Touched

ROOM_FOR_EVENTS = 32
"""Lines of a terminal from which the latest events are shown below the list."""


EVENTS = 50
"""Events below the list."""


class ContractListScreen(DeedScreen):
    """List, filter, latest events."""

    PARTS = ("#title", "FeedBar", "HeadingLine", "ContractTable", "#nothing", "#lines", "#filter-problem", "#filter")

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority: it is done before the next key is given to anybody. Whoever types on at once would else pause
        # or restart something by the letters of a name.
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("s", "sort", "Sort"),
        Binding("S", "reverse", "Reverse", show=False),
        Binding("e", "events", "Events", show=False),
        Binding("escape", "clear", "Clear filter", show=False),
    ]

    def __init__(self, listing: Listing, quiet: bool) -> None:
        super().__init__()
        self.listing, self.quiet = listing, quiet
        self._must_rebuild = self._read_once = False
        self._events_wanted: bool | None = None

    def compose(self) -> ComposeResult:
        """Title, status line, headings, list, events, filter, keys."""
        with Vertical(id="top"):
            yield Words(id="title")
            yield FeedBar(id="feed")
        yield HeadingLine()
        yield ContractTable()
        yield Words(id="nothing")
        yield EventLog(id="events")
        yield Words(id="filter-problem")
        yield Input(id="filter", placeholder="words  ns:NAME  state:failed,blocked  phase:NAME  waiting  stale  !not")
        yield Footer(show_command_palette=False, compact=True)

    def begin(self) -> None:
        """The list has the keys; the filter comes with /."""
        self.query_one("#filter", Input).display = False
        self.query_one("#filter-problem", Words).display = False
        self.query_one(ContractTable).focus()
        self.set_interval(0.5, self._rebuild_if_needed)

    def subject(self) -> Key | None:
        """The contract that the cursor is on."""
        return self.query_one(ContractTable).cursor_key

    def show_all(self) -> None:
        """Everything from what is so now."""
        self._fit_events()
        self._rebuild()
        self._show_events()

    def world_changed(self, touched: Touched) -> None:
        """Only rows that changed are drawn; the list is put in order anew if one of them moves."""
        rows = self.monitor.world.rows
        if self.listing.moved(rows, touched.rows):
            self._must_rebuild = True
            if not self.query_one(ContractTable).shown:
                self._rebuild()  # nothing is shown yet: do not keep the person waiting
        elif touched.rows:
            self.query_one(ContractTable).redraw(rows, self.monitor.now(), touched.rows)
        if touched.feed:
            self._show_feed()
            if not self.query_one(ContractTable).shown:
                self._show_nothing()  # nothing being there is no change of a row
        if touched.events:
            self._show_events()

    def time_passed(self) -> None:
        """Ages are others now."""
        self.query_one(ContractTable).tick(self.monitor.now())
        self._show_feed()

    def on_resize(self) -> None:
        """There may be room for events now, or none any more."""
        if self.drawn:
            self._fit_events()

    @on(ContractTable.Opened)
    def opened(self, event: ContractTable.Opened) -> None:
        """Show one contract."""
        self.monitor.open_contract(event.key)

    @on(ContractTable.LayoutChanged)
    def columns_changed(self) -> None:
        """Headings stand over their columns."""
        self.query_one(HeadingLine).show(self.query_one(ContractTable).columns, self.listing.sorting)

    @on(HeadingLine.Sorted)
    def heading_clicked(self, event: HeadingLine.Sorted) -> None:
        """Sort by it; again turns it round."""
        self.sort(self.listing.sorting.by(event.order))

    @on(Input.Changed, "#filter")
    def filter_changed(self, event: Input.Changed) -> None:
        """The list follows every key."""
        self.narrow(event.value)

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        """Back to the list, which stays filtered."""
        line = self.query_one("#filter", Input)
        line.display = bool(line.value)
        self.query_one(ContractTable).focus()

    def narrow(self, text: str) -> None:
        """Show only what this filter lets through."""
        self.listing.chosen = parse_filter(text)
        problem = self.query_one("#filter-problem", Words)
        problem.display = bool(self.listing.chosen.problem)
        problem.update(f"! {self.listing.chosen.problem}")
        self._rebuild(top_stays=True)

    def sort(self, sorting: Sorting) -> None:
        """Put the list in this order."""
        self.listing.sorting = sorting
        self._rebuild(top_stays=True)

    def set_filter(self, text: str) -> None:
        """The same, from elsewhere: the line shows what the list is filtered by."""
        line = self.query_one("#filter", Input)
        line.value = text
        line.display = bool(text)
        self.query_one(ContractTable).focus()

    def go_to(self, key: Key) -> None:
        """Put the cursor on this contract."""
        self.query_one(ContractTable).go_to(key)

    def action_filter(self) -> None:
        """Write a filter."""
        line = self.query_one("#filter", Input)
        line.display = True
        self.set_focus(line)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A / within the filter is one."""
        if action == "filter" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_clear(self) -> None:
        """Everything again."""
        self.set_filter("")

    def action_sort(self) -> None:
        """The next order."""
        self.sort(self.listing.sorting.next())

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.sort(self.listing.sorting.by(self.listing.sorting.order))

    def action_events(self) -> None:
        """Show the latest events, or the list alone."""
        self._events_wanted = not self.query_one(EventLog).display
        self._fit_events()
        self._show_events()

    def _fit_events(self) -> None:
        wanted = self._events_wanted
        self.query_one(EventLog).display = self.app.size.height >= ROOM_FOR_EVENTS if wanted is None else wanted

    def _show_events(self) -> None:
        log = self.query_one(EventLog)
        if log.display:
            shown = [event for event in self.monitor.world.events if self._wants(event)]
            log.show(shown[-EVENTS:], self.monitor.now(), named=True)

    def _wants(self, event: Happening) -> bool:
        row = self.monitor.world.rows.get(event.key)
        options = self.monitor.options
        chosen = self.listing.always(row) if row is not None else options.mean_gone(event.key, event.contract_id)
        return chosen and (not self.quiet or is_important(event))

    def _rebuild_if_needed(self) -> None:
        if self._must_rebuild:
            self._rebuild()

    def _rebuild(self, *, top_stays: bool = False) -> None:
        if not self.drawn:
            return
        self._must_rebuild = False
        world, table = self.monitor.world, self.query_one(ContractTable)
        table.lay_out(self._silent_columns())
        lines, reading = self.listing.lines(world.rows.values()), not self._read_once
        table.show(lines, self.monitor.now(), top_stays=top_stays or reading)
        self._read_once = self._read_once or world.feed.kube.state is LinkState.LIVE
        self.query_one(HeadingLine).show(table.columns, self.listing.sorting)
        known = [row for row in world.rows.values() if self.listing.always(row)]
        self.query_one("#title", Words).update(title(known, table.shown, self.listing.sorting, self.monitor.options))
        self.query_one("#nothing").display, table.display = not table.shown, bool(table.shown)
        self._show_nothing()
        self._show_feed()

    def _show_nothing(self) -> None:
        world = self.monitor.world
        connected = world.feed.kube.state is not LinkState.CONNECTING
        options, known = self.monitor.options, sum(map(self.listing.always, world.rows.values()))
        said = nothing_shown(known, self.listing.chosen, options, connected, self.monitor.caller)
        self.query_one("#nothing", Words).update(said)

    def _silent_columns(self) -> tuple[str, ...]:
        namespaces = {row.namespace for row in self.monitor.world.rows.values()}
        return ("Namespace",) if len(namespaces) < 2 else ()

    def _show_feed(self) -> None:
        self.query_one(FeedBar).show(self.monitor.world.feed, self.monitor.now())
