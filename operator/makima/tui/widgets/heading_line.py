"""The headings of the list: they name the columns, show what it is sorted by, and sort when they are clicked."""

from __future__ import annotations

from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from makima.tui.appearance import GREY, SKY
from makima.tui.columns import GAP, Layout, fitted
from makima.tui.ordering import Order, Sorting
from makima.tui.widgets.contract_table import GUTTER


class HeadingLine(Widget):
    """One line; not reached by the keyboard, as `s` does the same."""

    class Sorted(Message):
        """The person wants the list sorted by this."""

        def __init__(self, order: Order) -> None:
            super().__init__()
            self.order = order

    def __init__(self) -> None:
        super().__init__()
        self.columns: Layout = ()
        self.sorting = Sorting()

    def show(self, columns: Layout, sorting: Sorting) -> None:
        """Other columns, or another order."""
        self.columns, self.sorting = columns, sorting
        self.refresh()

    def render(self) -> Text:
        """The headings over their columns."""
        text = Text(" " * GUTTER, no_wrap=True)
        for number, (column, width) in enumerate(self.columns):
            by = column.order is self.sorting.order and column is self._marked()
            arrow = ("▲" if self.sorting.reverse else "▼") if by else ""
            gap = " " * GAP if number < len(self.columns) - 1 else ""
            named = column.heading[: width - len(arrow)]  # the arrow stays: colour alone says nothing to everybody
            heading = fitted(named + arrow, width, column.right)
            text.append(heading + gap, style=f"bold {SKY}" if by else GREY)
        return text

    def _marked(self) -> object:
        """Two columns may sort by the same: the first one bears the mark."""
        return next((column for column, _ in self.columns if column.order is self.sorting.order), None)

    def on_click(self, event: Click) -> None:
        """Sort by the column that was clicked."""
        left = GUTTER
        for column, width in self.columns:
            if event.x < left + width + GAP:
                self.post_message(self.Sorted(column.order))
                return
            left += width + GAP
