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
from makima.tui.placed_lines import PlacedLines
from makima.tui.rows import Row
from makima.tui.source import Key

GUTTER = 2
CURSOR, CHANGED = "▸", "•"


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
        self._lines = PlacedLines()
        self._cursor = 0
        self._fresh: frozenset[Key] = frozenset()

    @property
    def cursor_key(self) -> Key | None:
        """The contract that the cursor is on."""
        row = self._lines.row_at(self._cursor)
        return row.key if row is not None else None

    @property
    def shown(self) -> int:
        """How many contracts are in the list."""
        return self._lines.contracts

    def show(self, lines: list[Line], now: datetime, *, top_stays: bool = False) -> None:
        """Show these lines; the cursor stays on its contract.

        It stays at its height on the screen, too, unless that shows the very top: one wants to see what comes there.
        Contracts that moved or changed get a mark, if most of the list is what it was.

        Args:
            top_stays: a cursor on the first contract stays on the first one, as this is another look at the list (the
                person sorts or filters it, or it is still being read), and nothing that happened to it.
        """
        before, top, placed = self.cursor_key, self.scroll_offset.y, PlacedLines(lines)
        height, follows = self._cursor - top, before is None or not (top_stays and self._cursor <= self._first())
        self.now, self._fresh, self._lines = now, placed.changed_since(self._lines), placed
        self.virtual_size = Size(0, len(placed))
        kept = placed.place_of(before) if follows else None
        if kept is None:
            self._cursor = placed.nearest(self._cursor) if follows else self._first()
        else:
            self._cursor = kept
        if kept is not None and top:
            self.scroll_to(y=max(0, kept - height), animate=False, immediate=True)
        else:
            self._into_view()
        if self.cursor_key != before:
            self.post_message(self.Moved(self.cursor_key))
        self.refresh()

    def redraw(self, rows: dict[Key, Row], now: datetime, changed: Collection[Key]) -> None:
        """Take these rows over in place and draw them if they are in sight."""
        dirty = self._fresh.union(changed)  # marks of earlier changes go
        now_here = (rows[key] for key in changed if key in rows)
        self.now, self._fresh = now, frozenset(row.key for row in now_here if self._lines.replace(row))
        self._draw(dirty)

    def _draw(self, keys: Collection[Key]) -> None:
        top, size = self.scroll_offset.y, self.scrollable_content_region
        places = (place - top for key in keys if (place := self._lines.place_of(key)) is not None)
        lines = [Region(0, place, size.width, 1) for place in places if 0 <= place < size.height]
        if lines:
            self.refresh(*lines)

    def tick(self, now: datetime) -> None:
        """Time went by: ages are others now."""
        self.now, self._fresh = now, frozenset()
        self.refresh()

    def go_to(self, key: Key) -> bool:
        """Put the cursor on this contract, if it is in the list."""
        place = self._lines.place_of(key)
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
        if self._lines.row_at(place) is None:
            return
        again = place == self._cursor and event.chain > 1
        self._put(place)
        if again:
            self.action_open()

    def action_move(self, by: int) -> None:
        """To the next contract in this direction."""
        place = self._lines.onward(self._cursor, by)
        if place is not None:
            self._put(place)
        elif by < 0:
            self.scroll_to(y=0, animate=False)  # the heading above the first one

    def action_page(self, by: int) -> None:
        """A screen further."""
        height = max(1, self.scrollable_content_region.height - 1)
        self._put(self._lines.nearest(self._cursor + by * height))

    def action_end(self, last: bool) -> None:
        """To the first or the last contract."""
        self._put(self._lines.nearest(len(self._lines)) if last else self._first())

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

    def _first(self) -> int:
        return self._lines.nearest(0)

    def _put(self, place: int) -> None:
        before, self._cursor = self._cursor, place
        self._into_view()
        self.refresh()
        if before != place:
            self.post_message(self.Moved(self.cursor_key))

    def _into_view(self) -> None:
        top = self._cursor - (1 if self._lines.heading_over(self._cursor) else 0)
        self.scroll_to_region(Region(0, top, 1, self._cursor - top + 1), animate=False, immediate=True)


def _paint(cell: Cell) -> Style:
    return PAINTS.setdefault((cell.colour, cell.strong), Style(color=cell.colour, bold=cell.strong))


PAINTS: dict[tuple[str, bool], Style] = {}
"""Styles by colour and weight: parsing a colour for each cell of each line would be most of the work."""
