"""The lines of the list by their places: which contract is where, which is next, and what of them changed."""

from __future__ import annotations

from collections.abc import Sequence

from makima.tui.listing import Heading, Line
from makima.tui.rows import Row
from makima.tui.source import Key

MARKED = 20
"""More changes at once are not a change of the world but another look at it: another filter, a new list."""


class PlacedLines:
    """Contracts, under the headings of their groups. A place is the number of a line, from 0."""

    def __init__(self, lines: Sequence[Line] = ()) -> None:
        self._lines = list(lines)
        self._places = {line.key: place for place, line in enumerate(lines) if isinstance(line, Row)}

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, place: int) -> Line:
        return self._lines[place]

    @property
    def contracts(self) -> int:
        """How many lines are contracts."""
        return len(self._places)

    def place_of(self, key: Key | None) -> int | None:
        """Where this contract is; None: not here."""
        return self._places.get(key) if key is not None else None

    def row_at(self, place: int) -> Row | None:
        """The contract there; None at a heading, and where there is no line."""
        line = self._lines[place] if 0 <= place < len(self._lines) else None
        return line if isinstance(line, Row) else None

    def heading_over(self, place: int) -> bool:
        """Whether the line above is the heading of a group."""
        return 0 < place <= len(self._lines) and isinstance(self._lines[place - 1], Heading)

    def nearest(self, place: int) -> int:
        """This place, within the list, or the next one that holds a contract; 0 where there is none."""
        within = max(0, min(place, len(self._lines) - 1))
        for candidate in (within, within + 1, within - 1):
            if self.row_at(candidate) is not None:
                return candidate
        return within

    def onward(self, place: int, by: int) -> int | None:
        """The next place with a contract in this direction; None: there is none."""
        place += by
        while 0 <= place < len(self._lines):
            if self.row_at(place) is not None:
                return place
            place += by
        return None

    def replace(self, row: Row) -> bool:
        """Take it over in place, if it is here; whether a person would want to notice the change."""
        place = self._places.get(row.key, -1)
        before = self.row_at(place)
        if before is None:
            return False
        self._lines[place] = row
        return _notable(before) != _notable(row)

    def changed_since(self, before: PlacedLines) -> frozenset[Key]:
        """Contracts that are new here or notably others, if most of the list is what it was."""
        if not before.contracts:
            return frozenset()
        known = {line.key: _notable(line) for line in before._lines if isinstance(line, Row)}
        rows = (line for line in self._lines if isinstance(line, Row))
        changed = [row.key for row in rows if known.get(row.key) != _notable(row)]
        return frozenset(changed) if len(changed) <= MARKED else frozenset()


def _notable(row: Row) -> tuple[object, ...]:
    """What a person would want to notice: no heartbeat, no progress."""
    return row.state, row.phase, row.attention, row.stale, row.questions, row.restarts
