"""Processes on this host that belong to a program: found by descent or by a mark, and ended, surely only those.

Agents run their tools in sessions of their own, so a signal to the program's process group does not reach them. As
child subreaper this process becomes the parent of those whose parent died, so all of them stay its descendants. After
its own end only the mark is left: a variable of the environment that children inherit. Linux only; elsewhere nothing
is found.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "MAKIMA_SUPERVISED"
"""Variable in the environment of a program and of everything that it starts; its value names the contract."""

PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told apart from a later one with the same number by when it started."""

    pid: int
    parent: int
    state: str
    started: int


def become_subreaper() -> bool:
    """Adopt orphaned descendants; whether this system can."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def descendants(root: int | None = None) -> list[Process]:
    """Everything below `root` (default: this process) that still runs."""
    children: dict[int, list[Process]] = {}
    for process in _all():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    below = [root if root is not None else os.getpid()]
    while below:
        mine = children.pop(below.pop(), [])
        found += mine
        below += [process.pid for process in mine]
    return [process for process in found if process.state != "Z"]


def marked(mark: str) -> list[Process]:
    """Every process of this user that carries this mark and still runs, but for this one and its ancestors."""
    wanted = f"{MARK}={mark}".encode()
    every = {process.pid: process for process in _all()}
    line = set(_ancestors(every))
    return [
        process
        for process in every.values()
        if process.state != "Z" and process.pid not in line and wanted in _environment(process.pid).split(b"\0")
    ]


async def end(find: Callable[[], list[Process]], grace: float) -> int:
    """End all that `find` finds, again and again until there is none: SIGTERM, and SIGKILL once the grace is over.

    Returns:
        How many there were.
    """
    until = time.monotonic() + grace
    seen: set[Process] = set()
    while found := find():
        late = time.monotonic() >= until
        for process in found:
            if late or process not in seen:
                send(process, signal.SIGKILL if late else signal.SIGTERM)
        seen.update(found)
        reap()
        await asyncio.sleep(POLL_SECONDS)
    return len(seen)


def kill_now(seconds: float = 2.0) -> None:
    """SIGKILL every descendant, and wait until they are gone; blocks, for when there is no time for anything else."""
    until = time.monotonic() + seconds
    while (found := descendants()) and time.monotonic() < until:
        for process in found:
            send(process, signal.SIGKILL)
        reap()
        time.sleep(POLL_SECONDS / 5)


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal to exactly this process; nothing happens if it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        handle = os.pidfd_open(process.pid)
        try:
            if _read(process.pid) == process or _is_same(process):
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def reap(keep: int | None = None) -> None:
    """Take the exit codes of adopted processes, which nobody else waits for; `keep` is waited for by its owner."""
    me = os.getpid()
    for process in _all():
        if process.parent == me and process.state == "Z" and process.pid not in {keep, *KEPT}:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


KEPT: set[int] = set()
"""Children whose owner waits for them."""


def _is_same(process: Process) -> bool:
    now = _read(process.pid)
    return now is not None and now.started == process.started


def _ancestors(every: dict[int, Process]) -> Iterator[int]:
    pid = os.getpid()
    while pid in every:
        yield pid
        pid = every[pid].parent


def _all() -> Iterator[Process]:
    with contextlib.suppress(OSError):
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and (process := _read(int(entry.name))) is not None:
                yield process


def _read(pid: int) -> Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()  # the name before it may hold anything
    return Process(pid, int(fields[1]), fields[0].decode(), int(fields[19]))


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""  # gone, or another user's
