"""A list of entries, the chosen one with a marker: another colour alone is not seen by everybody."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from makima.tui.harmless import harmless

MARKED, UNMARKED = "▸ ", "  "


class MarkedOptions(OptionList):
    """Entries of one or more lines each."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._entries: list[Text] = []
        self._marked: int | None = None

    def show(self, entries: Iterable[Text], *, divided: bool = False) -> None:
        """Exactly these; none is chosen yet.

        Args:
            divided: a line below each.
        """
        self._entries, self._marked = list(entries), None
        self.clear_options()
        for entry in self._entries:
            self.add_options([Option(_with(entry, UNMARKED)), *([None] if divided else [])])

    def renew(self, entries: Iterable[Text]) -> None:
        """The same entries, some of them in other words now."""
        for place, entry in enumerate(entries):
            if place < len(self._entries) and entry.plain != self._entries[place].plain:
                self._entries[place] = entry
                self._mark(place, MARKED if place == self._marked else UNMARKED)

    def watch_highlighted(self, highlighted: int | None) -> None:
        """The marker follows."""
        super().watch_highlighted(highlighted)
        self._mark(self._marked, UNMARKED)
        self._mark(highlighted, MARKED)
        self._marked = highlighted

    def _mark(self, place: int | None, marker: str) -> None:
        if place is not None and place < min(len(self._entries), self.option_count):
            self.replace_option_prompt_at_index(place, _with(self._entries[place], marker))


def _with(entry: Text, marker: str) -> Table:
    """The entry beside its marker, also where it is wrapped."""
    found = Table.grid(expand=True)
    found.add_column(width=len(marker))
    found.add_column(ratio=1)
    found.add_row(marker, harmless(entry))
    return found
