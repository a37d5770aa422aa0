"""Where contracts are in the list, which is next, and which changes a person would want to notice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from makima.tui.listing import Heading, Line
from makima.tui.placed_lines import MARKED, PlacedLines
from makima.tui.rows import Row, row_of
from tests.support.monitor_contracts import NOW, a_contract

ROWS = [row_of(a_contract(f"c{number:02}"), None, None, NOW) for number in range(MARKED + 5)]


def heading(row: Row) -> Heading:
    return Heading(row.need, 1)


A, B, C = ROWS[:3]
GROUPED: list[Line] = [heading(A), A, heading(B), B, C]


@pytest.mark.parametrize(("place", "found"), [(-5, 1), (0, 1), (1, 1), (2, 3), (3, 3), (4, 4), (99, 4)])
def test_the_nearest_contract_is_never_a_heading(place: int, found: int) -> None:
    assert PlacedLines(GROUPED).nearest(place) == found


@pytest.mark.parametrize(("place", "by", "found"), [(1, 1, 3), (3, -1, 1), (3, 1, 4), (1, -1, None), (4, 1, None)])
def test_onward_leaves_headings_out(place: int, by: int, found: int | None) -> None:
    assert PlacedLines(GROUPED).onward(place, by) == found


@pytest.mark.parametrize(("place", "over"), [(0, False), (1, True), (3, True), (4, False), (9, False)])
def test_which_contract_has_its_heading_over_it(place: int, over: bool) -> None:
    assert PlacedLines(GROUPED).heading_over(place) is over


def test_an_empty_list_has_no_contract_anywhere() -> None:
    empty = PlacedLines()
    assert (len(empty), empty.contracts, empty.nearest(3), empty.row_at(0), empty.onward(0, 1)) == (0, 0, 0, None, None)


def test_a_row_is_replaced_where_it_is_and_what_counts_is_told() -> None:
    lines = PlacedLines(GROUPED)
    assert not lines.replace(replace(B, heartbeat=None)), "a heartbeat is nothing to notice"
    assert lines.replace(replace(B, restarts=B.restarts + 1))
    assert lines.row_at(3) == replace(B, restarts=B.restarts + 1)
    assert not lines.replace(ROWS[9]), "it is not in the list"
    assert lines.contracts == 3


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        pytest.param([A, B], [A, replace(B, stale=not B.stale), C], {B.key, C.key}, id="changed and new"),
        pytest.param([A, B], [B, A], set(), id="only moved"),
        pytest.param([], [A, B], set(), id="the first list"),
        pytest.param([A], ROWS, set(), id="another look"),
    ],
)
def test_what_is_marked_as_changed(before: list[Line], after: list[Line], marked: set[object]) -> None:
    assert PlacedLines(after).changed_since(PlacedLines(before)) == marked
