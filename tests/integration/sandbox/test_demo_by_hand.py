"""`make demo KEEP=1`: the commands that it prints, typed at a real terminal one after the other."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from makima.sandbox import attach
from tests.support.demo_run import demo
from tests.support.terminal import ROOT, Terminal, needs_tmux

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.timeout(700), pytest.mark.exhaustive, needs_tmux]

HERE = str(Path(sys.executable).parent)


@pytest.fixture(scope="module")
def printed() -> Iterator[str]:
    """What a demo printed that leaves everything running; at the end what it says ends it."""
    said = demo("--keep")
    yield said
    (end,) = (line.removeprefix("End it: ") for line in said.splitlines() if line.startswith("End it: "))
    ended = subprocess.run(["bash", "-c", end.replace(".venv/bin", HERE)], cwd=ROOT, timeout=60, check=False)
    assert (ended.returncode, attach("demo")) == (0, None)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A shell."""
    found = Terminal(180, 50, "env -u NO_COLOR PS1='$ ' bash --norc")
    yield found
    found.close()


def typed(terminal: Terminal, command: str, shows: str, *answers: str) -> str:
    """Type it on an empty screen; what was there once it showed this, and after it had been told all answers."""
    terminal.press("clear", "Enter")
    terminal.wait_until(lambda seen: seen.strip() == "$")
    terminal.press(command, "Enter")
    seen = terminal.wait_for(shows)
    for answer in answers:
        terminal.press(answer)
    return seen + terminal.wait_until(lambda seen: seen.rstrip().endswith("$"), f"{command} does not end")


def test_each_printed_command_does_what_it_says(printed: str, terminal: Terminal) -> None:
    lines = printed.splitlines()
    commands = [line.strip() for line, below in itertools.pairwise(lines) if below.startswith("      # ")]
    once, *rest = (command.replace(".venv/bin", HERE).replace("$PWD/", "") for command in commands)
    everything, inbox, confirm, asked, answer, show, monitor, export, dry, batch = rest
    typed(terminal, once, "$")
    assert "release-notes" in typed(terminal, everything, "try-it")
    assert "kubectl contracts confirm demo/try-it" in typed(terminal, inbox, "demo/try-it")
    assert "research-notes" in typed(terminal, confirm, "Confirm?", "y", "Enter")
    terminal.wait_for("research → specify")
    deadline = time.monotonic() + 60
    while "kubectl contracts answer demo/try-it" not in typed(terminal, asked, "$ kubectl"):
        assert time.monotonic() < deadline, "its supervisor does not ask"
    typed(terminal, answer, "demo/try-it: ")
    assert "supervisor" in typed(terminal, show, "waits for ")
    assert "2 contracts" in typed(terminal, monitor, "try-it", "q")
    typed(terminal, export, "release-notes.json")
    (file,) = (word for word in export.split() if word.endswith(".json"))
    assert json.loads(Path(file).read_text())["resource"]["metadata"]["name"] == "release-notes"
    assert "release-notes" in typed(terminal, dry, "would")
    typed(terminal, batch, "?", "y", "Enter")
    terminal.wait_for("release-notes")
