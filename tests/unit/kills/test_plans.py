"""The suite of kills plans every kill, each once, and says which there were."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from tests.support.kills import table
from tests.support.kills.plans import POINTS, Kill, every_kill, part, runs, sample

SEED, WIDTH = 7, max(map(len, POINTS))


def test_every_victim_dies_before_and_after_every_point() -> None:
    assert len(every_kill()) == len(set(every_kill())) == len(POINTS) * 2 * 5 == 230


@pytest.mark.parametrize("parts", [1, 6, 7])
def test_all_parts_together_are_every_kill_once(parts: int) -> None:
    found = [kill for number in range(1, parts + 1) for kill in part(every_kill(), SEED, number, parts)]
    assert Counter(found) == Counter(every_kill())


def test_a_sample_has_as_many_of_each_victim() -> None:
    found = Counter(kill.victim for kill in sample(every_kill(), SEED, 15))
    assert set(found.values()) == {3} and len(found) == 5


def test_contracts_take_every_kill_in_the_order_in_which_they_come_to_it() -> None:
    planned = runs(every_kill(), SEED, 8)
    assert Counter(kill for plan in planned for kill in plan) == Counter(every_kill())
    for plan in planned:
        places = [POINTS.index(kill.point) for kill in plan]
        assert len(plan) <= 8 and all(later - earlier > 1 for earlier, later in pairwise(places))


def test_the_table_shows_what_was_killed_and_what_was_not() -> None:
    said: list[tuple[str, object]] = []
    killed = [Kill("ask", "before", "pod"), Kill("ask", "after", "pod"), Kill("register", "after", "api")]
    table.say(lambda name, value: said.append((name, value)), killed, SEED, 2, {"api": [3.0, 1.0, 2.0]})
    ((_, value),) = said
    assert isinstance(value, dict)
    title, total, _, *rows = table.lines(
        "test", [value, {**value, "kills": [["ask", "before", "operator"]], "seed": 8}]
    )
    assert title == "test, seed 7, 8, 4 contracts:" and total.startswith("4 kills at 4 of 230 places")
    cells = {line[:WIDTH].strip(): [line[at : at + 15].strip() for at in range(WIDTH, WIDTH + 75, 15)] for line in rows}
    assert cells["ask"] == ["-", "before after", "-", "before", "-"]
    assert cells["register"] == ["-", "-", "after", "-", "-"]
    assert cells["kills"] == ["0", "2", "1", "1", "0"]
    assert cells["back after, s"] == ["-", "-", "2.0 to 3.0", "-", "-"]
