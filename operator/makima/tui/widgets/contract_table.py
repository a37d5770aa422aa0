"""The list of contracts: only the lines that are on the screen are ever drawn, however many there are.

Textual's DataTable keeps every cell as an object and sorts and measures them all; with 5,000 contracts a key typed into
the filter took seconds (measured, docs/benchmarks.md). Here a line is drawn from its row when it is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from makima.tui.columns import GAP, Cell, Layout, fitted, layout
from makima.tui.listing import Heading, Line
from makima.tui.rows import Row
from makima.tui.source import Key

GUTTER = 2
CURSOR, CHANGED = "▸", "•"

MARKED = 20
"""More changes at once are not a change of the world but another look at it: another filter, a new list."""


class ContractTable(ScrollView, can_focus=True):
    """Lines with a cursor that stays on its contract whatever moves around it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"contract-table--cursor", "contract-table--heading"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("home,g", "end(False)", "First", show=False),
        Binding("end,G", "end(True)", "Last", show=False),
        Binding("enter", "open", "Open"),
    ]

    class Opened(Message):
        """The person wants to see this contract."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    class Moved(Message):
        """The cursor is on another contract, or on none."""

        def __init__(self, key: Key | None) -> None:
            super().__init__()
            self.key = key

    class LayoutChanged(Message):
        """The columns are others now."""

    def __init__(self, *, without: Sequence[str] = ()) -> None:
        super().__init__()
        self.columns: Layout = ()
        self.without = tuple(without)
        self.now = datetime.now().astimezone()
        self._lines: list[Line] = []
        self._places: dict[Key, int] = {}
        self._cursor = 0
        self._fresh: frozenset[Key] = frozenset()

    @property
    def cursor_key(self) -> Key | None:
        """The contract that the cursor is on."""
        row = self._row_at(self._cursor)
        return row.key if row is not None else None

    @property
    def shown(self) -> int:
        """How many contracts are in the list."""
        return len(self._places)

    def show(self, lines: list[Line], now: datetime, *, top_stays: bool = False) -> None:
        """Show these lines; the cursor stays on its contract.

        It stays at its height on the screen, too, unless that shows the very top: one wants to see what comes there.
        Contracts that moved or changed get a mark, if most of the list is what it was.

        Args:
            top_stays: a cursor on the first contract stays on the first one, as this is another look at the list (the
                person sorts or filters it, or it is still being read), and nothing that happened to it.
        """
        before, top = self.cursor_key, self.scroll_offset.y
        height, follows = self._cursor - top, before is None or not (top_stays and self._cursor <= self._first())
        self.now, self._fresh = now, self._changed_in(lines)
        self._lines = lines
        self._places = {line.key: place for place, line in enumerate(lines) if isinstance(line, Row)}
        self.virtual_size = Size(0, len(lines))
        kept = self._places.get(before) if before is not None else None
        if kept is not None and follows:
            self._cursor = kept
            if top:
                self.scroll_to(y=max(0, kept - height), animate=False, immediate=True)
            else:
                self._into_view()
        else:
            self._cursor = self._nearest(min(self._cursor, len(lines) - 1)) if follows else self._first()
            self._into_view()
        if self.cursor_key != before:
            self.post_message(self.Moved(self.cursor_key))
        self.refresh()

    def redraw(self, rows: dict[Key, Row], now: datetime, changed: Collection[Key]) -> None:
        """Take these rows over in place and draw them if they are in sight."""
        dirty, fresh = self._fresh.union(changed), set()  # marks of earlier changes go
        for key in changed:
            place, row = self._places.get(key), rows.get(key)
            if place is not None and row is not None:
                before = self._lines[place]
                if isinstance(before, Row) and _notable(before) != _notable(row):
                    fresh.add(key)
                self._lines[place] = row
        self.now, self._fresh = now, frozenset(fresh)
        self._draw(dirty)

    def _changed_in(self, lines: list[Line]) -> frozenset[Key]:
        if not self._places:
            return frozenset()
        before = {line.key: _notable(line) for line in self._lines if isinstance(line, Row)}
        changed = [line.key for line in lines if isinstance(line, Row) and before.get(line.key) != _notable(line)]
        return frozenset(changed) if len(changed) <= MARKED else frozenset()

    def _draw(self, keys: Collection[Key]) -> None:
        top, size = self.scroll_offset.y, self.scrollable_content_region
        places = (self._places[key] - top for key in keys if key in self._places)
        lines = [Region(0, place, size.width, 1) for place in places if 0 <= place < size.height]
        if lines:
            self.refresh(*lines)

    def tick(self, now: datetime) -> None:
        """Time went by: ages are others now."""
        self.now, self._fresh = now, frozenset()
        self.refresh()

    def go_to(self, key: Key) -> bool:
        """Put the cursor on this contract, if it is in the list."""
        place = self._places.get(key)
        if place is not None:
            self._put(place)
        return place is not None

    def lay_out(self, without: Sequence[str]) -> None:
        """Leave out the columns with these headings."""
        if self.without != tuple(without) or not self.columns:
            self.without = tuple(without)
            self.columns = layout(max(1, self.scrollable_content_region.width - GUTTER), self.without)
            self.post_message(self.LayoutChanged())
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        place = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        base = self.rich_style
        if not 0 <= place < len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[place]
        if isinstance(line, Heading):
            style = base + self.get_component_rich_style("contract-table--heading", partial=True)
            text = f"─ {line.need.heading} ({line.count:,}) "
            return Strip([Segment(fitted(text + "─" * max(0, width - len(text)), width), style)], width)
        return self._row_line(line, place == self._cursor, width, base)

    def on_resize(self, _: Resize) -> None:
        """Other columns may fit now."""
        self.columns = ()
        self.lay_out(self.without)
        self._into_view()

    def on_click(self, event: Click) -> None:
        """A click puts the cursor there; a second one opens."""
        place = event.y + self.scroll_offset.y
        if self._row_at(place) is None:
            return
        again = place == self._cursor and event.chain > 1
        self._put(place)
        if again:
            self.action_open()

    def action_move(self, by: int) -> None:
        """To the next contract in this direction."""
        place = self._cursor + by
        while 0 <= place < len(self._lines) and self._row_at(place) is None:
            place += by
        if 0 <= place < len(self._lines):
            self._put(place)
        elif by < 0:
            self.scroll_to(y=0, animate=False)  # the heading above the first one

    def action_page(self, by: int) -> None:
        """A screen further."""
        height = max(1, self.scrollable_content_region.height - 1)
        self._put(self._nearest(max(0, min(self._cursor + by * height, len(self._lines) - 1))))

    def action_end(self, last: bool) -> None:
        """To the first or the last contract."""
        self._put(self._nearest(len(self._lines) - 1) if last else self._first())

    def action_open(self) -> None:
        """Show the contract that the cursor is on."""
        if self.cursor_key is not None:
            self.post_message(self.Opened(self.cursor_key))

    def _row_line(self, row: Row, here: bool, width: int, base: Style) -> Strip:
        style = base + self.get_component_rich_style("contract-table--cursor", partial=True) if here else base
        mark = CURSOR if here else CHANGED if row.key in self._fresh else " "
        segments = [Segment(f"{mark} ", style)]
        for number, (column, cells) in enumerate(self.columns):
            gap = " " * GAP if number < len(self.columns) - 1 else ""
            cell = column.cell(row, self.now)
            segments.append(Segment(cell.fitted(cells, column.right) + gap, style + _paint(cell)))
        return Strip(segments).adjust_cell_length(width, style)

    def _row_at(self, place: int) -> Row | None:
        line = self._lines[place] if 0 <= place < len(self._lines) else None
        return line if isinstance(line, Row) else None

    def _first(self) -> int:
        return self._nearest(0)

    def _nearest(self, place: int) -> int:
        """This place, or the next one that holds a contract."""
        for candidate in (place, place + 1, place - 1):
            if self._row_at(candidate) is not None:
                return candidate
        return max(0, place)

    def _put(self, place: int) -> None:
        before, self._cursor = self._cursor, place
        self._into_view()
        self.refresh()
        if before != place:
            self.post_message(self.Moved(self.cursor_key))

    def _into_view(self) -> None:
        heading = self._cursor > 0 and isinstance(self._lines[self._cursor - 1], Heading) if self._lines else False
        top = self._cursor - (1 if heading else 0)
        self.scroll_to_region(Region(0, top, 1, self._cursor - top + 1), animate=False, immediate=True)


def _notable(row: Row) -> tuple[object, ...]:
    """What a person would want to notice: no heartbeat, no progress."""
    return row.state, row.phase, row.attention, row.stale, row.questions, row.restarts


def _paint(cell: Cell) -> Style:
    return PAINTS.setdefault((cell.colour, cell.strong), Style(color=cell.colour, bold=cell.strong))


PAINTS: dict[tuple[str, bool], Style] = {}
"""Styles by colour and weight: parsing a colour for each cell of each line would be most of the work."""
