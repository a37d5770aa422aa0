"""`python -m bench`: run the scenarios, print one table. docs/benchmarks.md says what each figure means."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.contenders.processes import NAMES
from bench.deadlines import BenchError
from bench.facts import machine_facts, server_facts
from bench.results import Results, Run
from bench.scenarios import (
    command_line,
    dashboard,
    deadlines,
    expiry,
    failover,
    heartbeats,
    latency,
    life,
    monitor,
    pages,
    start,
)
from bench.table import show
from makima.errors import MakimaError
from makima.sandbox.folders import SandboxError
from makima.sandbox.go_build import Progress
from makima.sandbox.programs import find_programs

Scenario = Callable[[Run, str, Results], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {
    "start": start.measure,
    "latency": latency.measure,
    "life": life.measure,
    "failover": failover.measure,
    "heartbeats": heartbeats.measure,
    "deadlines": deadlines.measure,
    "expiry": expiry.measure,
    "command_line": command_line.measure,
    "dashboard": dashboard.measure,
    "list": pages.measure,
    "monitor": monitor.measure,
}


def some_of(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """For argparse: names separated by commas, all of them known."""

    def parse(text: str) -> tuple[str, ...]:
        chosen = tuple(part.strip() for part in text.split(","))
        unknown = [part for part in chosen if part not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return chosen

    return parse


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything works")
    parser.add_argument("--only", type=some_of(tuple(SCENARIOS)), default=tuple(SCENARIOS), metavar="SCENARIO,…")
    parser.add_argument("--contenders", type=some_of(NAMES), default=NAMES, metavar="NAME,…")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there, too")
    return parser.parse_args()


async def measure(chosen: argparse.Namespace, run: Run, results: Results) -> list[str]:
    """Everything that was asked for; a measurement that fails is a remark, the others go on.

    SIGTERM ends it as Ctrl-C does: contenders and servers are ended too.
    """
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    programs = await asyncio.to_thread(find_programs, Progress())  # builds the servers if they are not there yet
    facts = [*machine_facts(), server_facts(programs)]
    for scenario in chosen.only:
        for name in chosen.contenders:
            try:
                await SCENARIOS[scenario](run, name, results)
            except (BenchError, MakimaError, SandboxError) as error:
                results.remarks.append(f"ERROR: {scenario} of {name}: {error}")
                run.tell(results.remarks[-1])
    return facts


def main() -> int:
    """Entry point of `make bench`; 1 if something could not be measured, 130 if it was told to end."""
    chosen, began = options(), time.monotonic()
    run, results = Run.of(Path(tempfile.mkdtemp(prefix="makima-bench-")), quick=chosen.quick), Results()
    try:
        facts = asyncio.run(measure(chosen, run, results))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write(f"ended before its end; logs of the contenders: {run.scratch}\n")
        return 130
    show(run, results, [*facts, f"{time.monotonic() - began:.0f} s in all; logs of the contenders: {run.scratch}"])
    if chosen.json is not None:
        chosen.json.write_text(json.dumps({"figures": results.figures, "facts": facts, "remarks": results.remarks}))
    return 1 if results.remarks else 0


if __name__ == "__main__":
    sys.exit(main())
