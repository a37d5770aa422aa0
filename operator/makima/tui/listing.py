"""Which lines the list has, and whether a change of rows moves any of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from makima.tui.attention import Need
from makima.tui.filtering import Filter
from makima.tui.ordering import KEYS, Sorting, in_order
from makima.tui.rows import Row
from makima.tui.source import Key


@dataclass(frozen=True, slots=True)
class Heading:
    """The line above a group."""

    need: Need
    count: int


Line = Row | Heading


class Listing:
    """The rows that are shown, in order, under the headings of their groups."""

    def __init__(self, always: Filter) -> None:
        self.always, self.chosen, self.sorting = always, Filter(), Sorting()
        self._placed: dict[Key, tuple[Any, ...]] = {}

    def lines(self, rows: Iterable[Row]) -> list[Line]:
        """Everything that is shown."""
        shown = in_order((row for row in rows if self.fits(row)), self.sorting)
        key = KEYS[self.sorting.order]
        self._placed = {row.key: key(row) for row in shown}
        return _with_headings(shown) if self.sorting.grouped else list(shown)

    def fits(self, row: Row) -> bool:
        """Whether it is shown."""
        return self.always(row) and self.chosen(row)

    def moved(self, rows: Mapping[Key, Row], touched: Iterable[Key]) -> bool:
        """Whether one of these now belongs elsewhere, is new, or is gone."""
        key = KEYS[self.sorting.order]
        for name in touched:
            row, placed = rows.get(name), self._placed.get(name)
            now = key(row) if row is not None and self.fits(row) else None
            if now != placed:
                return True
        return False


def _with_headings(rows: list[Row]) -> list[Line]:
    counts: dict[Need, int] = {}
    for row in rows:
        counts[row.need] = counts.get(row.need, 0) + 1
    lines: list[Line] = []
    for number, row in enumerate(rows):
        if number == 0 or rows[number - 1].need is not row.need:
            lines.append(Heading(row.need, counts[row.need]))
        lines.append(row)
    return lines
