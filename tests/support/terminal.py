"""A real terminal: tmux is the terminal, and what it shows is what a person would see."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

TMUX = shutil.which("tmux")
SECONDS = 90
ROOT = Path(__file__).parents[2]

needs_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed: apt-get install tmux")


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
        return self.wait_until(lambda seen: text in seen, f"{text!r} never came")

    def wait_until(self, holds: Callable[[str], bool], otherwise: str = "it never came to that") -> str:
        """What is on the screen, once this holds of it."""
        deadline = time.monotonic() + SECONDS
        while not holds(seen := self.screen()):
            assert time.monotonic() < deadline, f"{otherwise}:\n{seen}"
            time.sleep(0.1)
        return seen

    def close(self) -> None:
        self._tmux("kill-server")
