"""`inbox --watch` and `health --watch`, each in a process of its own, with an operator at work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from makima.cli.contracts.exits import Exit
from tests.support.command_line import Stage
from tests.support.terminal import Terminal, needs_tmux

SECONDS = 90


@contextmanager
def watching(stage: Stage, who: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on; ended at the end, and after its time so that nothing waits for ever."""
    command = [sys.executable, "-m", "makima", "contracts", *words, "--kubeconfig", str(stage.kubeconfig(who))]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "--namespace", stage.namespace],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    ending = threading.Timer(SECONDS, process.terminate)
    ending.start()
    try:
        yield process
    finally:
        ending.cancel()
        process.terminate()
        process.communicate(timeout=60)


def until(process: subprocess.Popen[str], *texts: str) -> str:
    """The next line of its output that has all these."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        if all(text in line for text in texts):
            return line
        seen.append(line)
    raise AssertionError(f"it ended without {texts}: {seen} {process.stderr.read() if process.stderr else ''}")


def values(process: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    """JSON documents, one after the other, as they come."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            yield json.loads(text)
            text = ""


def test_a_watched_inbox_tells_of_what_begins_to_wait_and_what_waits_no_longer(driven: Stage) -> None:
    driven.create("held", suspend=True)
    driven.until("held", lambda status: status["state"] == "Paused")
    driven.create("open", suspend=False)
    driven.until("open", lambda status: True)
    with watching(driven, "vera", "inbox", "-w", "--kind", "resume", "--kind", "answer") as process:
        line = until(process, f"{driven.namespace}/held waits for somebody to resume it")
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  ", line)
        how = f"→ makima contracts resume {driven.namespace}/held --kubeconfig {driven.kubeconfig('vera')}"
        assert line.rstrip().endswith(how)
        question = driven.ask("open", "Which branch?")
        until(process, f"{driven.namespace}/open waits for an answer: Which branch?")
        driven.makima("ed", "answer", f"{driven.namespace}/open", "main", "--question", question).ok()
        until(process, f"{driven.namespace}/open no longer waits for an answer: Which branch?")
        driven.makima("ed", "resume", f"{driven.namespace}/held").ok()
        until(process, f"{driven.namespace}/held no longer waits for somebody to resume it")


def test_a_watched_inbox_is_a_stream_of_objects_for_programs(driven: Stage) -> None:
    driven.create("streamed")
    driven.until("streamed", lambda status: True)
    with watching(driven, "vera", "inbox", "-w", "-o", "json", "--kind", "answer") as process:
        driven.ask("streamed", "How?", "so", "or so")
        mine = (value for value in values(process) if value["name"] == "streamed")
        first = next(mine)
        assert (first["kind"], first["waitingFor"]) == ("answer", "an answer: How?") and "over" not in first
        driven.makima("ed", "answer", f"{driven.namespace}/streamed", "so").ok()
        assert next(mine) == {**first, "over": True}


def test_watched_health_says_each_change_of_a_verdict_and_ends_with_the_last(driven: Stage) -> None:
    driven.create("well", suspend=True)
    driven.until("well", lambda status: status["state"] == "Paused")
    key = f"{driven.namespace}/well"
    with watching(driven, "vera", "health", key, "-w", "-o", "compact", "--timeout", "20s") as process:
        until(process, f"{key} attention: Paused")
        driven.makima("ed", "resume", key).ok()
        until(process, f"{key} attention: NotStarted")
        assert process.wait(SECONDS) == Exit.ATTENTION, "the time is over: the exit code is that of the last verdict"
    path = f"/apis/makima.dev/v1alpha1/namespaces/{driven.namespace}/contracts/well"
    with watching(driven, "vera", "health", key, "-w", "--timeout", "60s") as process:
        until(process, f"{key} attention")
        driven.do(lambda admin: admin.request("DELETE", path))
        until(process, f"{key} is gone")


@pytest.mark.parametrize("command", ["inbox", "health"])
def test_who_may_not_look_is_told_so_and_does_not_watch(driven: Stage, command: str) -> None:
    done = driven.makima("sam", command, "-w", "--namespace", driven.namespace, "--timeout", "30s")
    assert done.code == Exit.FORBIDDEN and "makima-view" in done.err


@pytest.mark.parametrize("words", [("inbox", "-w"), ("health", "-A", "-w"), ("monitor", "-A")])
def test_who_may_look_nowhere_waits_for_nothing(driven: Stage, words: tuple[str, ...]) -> None:
    done = driven.makima("sam", *words, "--timeout", "30s")
    assert done.code == Exit.FORBIDDEN and "in any namespace" in done.err


@needs_tmux
def test_at_a_terminal_the_inbox_is_drawn_again(driven: Stage) -> None:
    driven.create("drawn", suspend=True)
    driven.until("drawn", lambda status: status["state"] == "Paused")
    where = f"--namespace {driven.namespace} --kubeconfig {driven.kubeconfig('vera')}"
    command = f"{sys.executable} -m makima contracts inbox -w --kind resume {where}"
    terminal = Terminal(120, 30, command)
    try:
        terminal.wait_for(f"{driven.namespace}/drawn  waits for somebody to resume it")
        driven.makima("ed", "resume", f"{driven.namespace}/drawn").ok()
        terminal.wait_until(lambda seen: "/drawn" not in seen)
    finally:
        terminal.close()


@needs_tmux
def test_at_a_terminal_a_contract_is_drawn_again_in_place(driven: Stage) -> None:
    driven.create("shown", suspend=True)
    driven.until("shown", lambda status: status["state"] == "Paused")
    key = f"{driven.namespace}/shown"
    command = f"{sys.executable} -m makima contracts show {key} -w --kubeconfig {driven.kubeconfig('vera')}"
    terminal = Terminal(160, 30, command)
    try:
        terminal.wait_for("waits for somebody to resume it")
        driven.makima("ed", "resume", key).ok()
        seen = terminal.wait_until(lambda seen: "Created" in seen and "resume it" not in seen)
        assert sum(f"{key}  simple" in line for line in seen.splitlines()) == 1, "in place of the last, not below it"
        terminal.press("C-c")
        terminal.wait_for("ended with 130")
    finally:
        terminal.close()
