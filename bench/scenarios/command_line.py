"""How long somebody at a terminal waits: `--help` of the commands for people, and the same through typer and rich."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time

from bench.results import Results, Run

TIMES = 20
"""Starts of each; the first, which reads everything from the disk, is not counted."""

LINES = {
    "help.group": ("contracts", "--help"),
    "help.command": ("contracts", "list", "--help"),
    "help.typer": ("migrate", "--help"),
}
"""Command lines by figure; the last is one of the commands that typer makes."""


async def measure(run: Run, name: str, results: Results) -> None:
    """Start each command line again and again, one at a time."""
    if name != "makima":
        return
    run.tell(f"{TIMES} starts of each of {len(LINES)} command lines")
    for key, words in LINES.items():
        walls, cpus = await asyncio.to_thread(_started, words)
        results.put(name, **{f"{key}.wall": statistics.median(walls), f"{key}.cpu": statistics.median(cpus)})


def _started(words: tuple[str, ...]) -> tuple[list[float], list[float]]:
    walls, cpus = [], []
    for number in range(TIMES + 1):
        began = time.perf_counter()
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "makima", *words],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )
        _, _, usage = os.wait4(process, 0)
        if number:
            walls.append(time.perf_counter() - began)
            cpus.append(usage.ru_utime + usage.ru_stime)
    return walls, cpus
