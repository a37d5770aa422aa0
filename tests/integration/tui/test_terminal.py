"""The monitor in a real terminal: tmux is the terminal, and what it shows is what a person would see."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

TMUX = shutil.which("tmux")
SECONDS = 90

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed: apt-get install tmux")

COLOURS = re.compile(r"\x1b\[[0-9;]*?[34]8;2;(\d+);(\d+);(\d+)")
ROOT = Path(__file__).parents[3]


class Terminal:
    """One terminal of a given size, with a server of its own."""

    def __init__(self, width: int, height: int, command: str) -> None:
        self._socket = f"makima-{uuid4().hex[:8]}"
        shell = f"unset COLUMNS LINES; {command}; echo ended with $?; sleep 600"
        self._tmux("new-session", "-d", "-x", str(width), "-y", str(height), shell)

    def _tmux(self, *words: str) -> str:
        assert TMUX is not None
        config = ("-L", self._socket, "-f", "/dev/null")
        done = subprocess.run([TMUX, *config, *words], capture_output=True, text=True, check=True, timeout=30, cwd=ROOT)
        return done.stdout

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self, *, colours: bool = False) -> str:
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else []))

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + SECONDS
        while text not in (seen := self.screen()):
            assert time.monotonic() < deadline, f"{text!r} never came:\n{seen}"
            time.sleep(0.1)
        return seen

    def close(self) -> None:
        self._tmux("kill-server")


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
