"""The monitor in a real terminal: tmux is the terminal, and what it shows is what a person would see."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from tests.support.terminal import Terminal, needs_tmux

pytestmark = needs_tmux

COLOURS = re.compile(r"\x1b\[[0-9;]*?[34]8;2;(\d+);(\d+);(\d+)")


SCRIPTED = f"{sys.executable} -m tests.support.monitor_world"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    found = Terminal(80, 24, SCRIPTED)
    yield found
    found.close()


def test_the_list_fits_80_by_24_and_follows_the_size_of_the_terminal(terminal: Terminal) -> None:
    terminal.wait_for("Waits for a person (3)")
    lines = terminal.wait_for("? Help q Quit").splitlines()
    assert len(lines) <= 24 and all(len(line) <= 80 for line in lines)
    terminal.resize(200, 60)
    terminal.wait_for("Restarts")
    terminal.resize(80, 24)
    terminal.wait_for("Since    Beat")


def test_keys_reach_it_and_it_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.wait_for("Waits for a person (3)")
    terminal.press("/")
    terminal.wait_for("words")
    terminal.press("-l", "ns:team-b")
    terminal.wait_for("3 shown")
    terminal.press("Enter")
    terminal.press("Escape")
    terminal.wait_for("Paused (1)")
    terminal.press("i")
    terminal.wait_for("inbox: 6 to look at")
    terminal.press("Escape")
    terminal.wait_for("Waits for a person (3)")
    terminal.press("q")
    terminal.wait_for("ended with 0")


def test_without_colour_every_colour_is_a_grey_and_the_words_are_all_there() -> None:
    plain = Terminal(100, 30, f"NO_COLOR=1 COLORTERM=truecolor {SCRIPTED}")
    try:
        plain.wait_for("Waits for a person (3)")
        for word in ("■ Blocked", "◆ Waiting", "✗ Failed", "! Stale", "► Active", "‖ Paused", "✓ Completed"):
            plain.wait_for(word)
        used = COLOURS.findall(plain.screen(colours=True))
        assert used and all(red == green == blue for red, green, blue in used)
    finally:
        plain.close()
