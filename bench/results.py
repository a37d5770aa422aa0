"""What is measured, and what it is compared with."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """How large the measurement is, and where its logs go.

    Attributes:
        start_sizes: number of contracts at a start, by the label under which it is shown.
        supervisors: whose heartbeats come, and whose deadlines are watched.
        beat_seconds: for each way to send heartbeats; `twin_seconds` for each other way to write them.
        hour_rows: heartbeats of the hour that is expired.
        timers: objects that kopf's timers watch.
        contracts, events: of the projection that dashboard and list read; `look_seconds` for each way to read it.
        round_seconds: between two heartbeats of a supervisor of those whose contracts are read.
        watchers: clients of the live monitor; they watch for `watch_seconds`, those of the naive twin less long.
    """

    scratch: Path
    quick: bool
    start_sizes: dict[str, int]
    lives: int
    failover_size: int
    latency_seconds: int
    supervisors: int
    beat_seconds: float
    twin_seconds: float
    hour_rows: int
    timers: int
    rates: tuple[int, ...] = (10, 45)
    contracts: int = 100_000
    events: int = 10_000_000
    look_seconds: float = 20.0
    round_seconds: float = 30.0
    watchers: int = 1000
    watch_seconds: float = 60.0
    watch_twin_seconds: float = 10.0

    def tell(self, what: str) -> None:
        """Say what is being measured; the table itself goes to stdout."""
        print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)

    @classmethod
    def of(cls, scratch: Path, *, quick: bool) -> Run:
        """The full measurement, or one that is only to see that everything works."""
        if quick:
            sizes = ({"many": 250}, 50, 50, 4, 4000, 3.0, 2.0, 100_000, 100)
            small = cls(scratch, quick, *sizes, contracts=6000, events=60_000, look_seconds=3.0, round_seconds=3.0)
            return replace(small, watchers=250, watch_seconds=5.0, watch_twin_seconds=3.0)
        return cls(scratch, quick, {"many": 5000, "some": 1000}, 1000, 1000, 30, 30_000, 60.0, 20.0, 3_600_000, 1000)


@dataclass(slots=True)
class Results:
    """Figures by contender: `figures[contender][key]`. Keys are in `bench.table`."""

    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def put(self, contender: str, **figures: float) -> None:
        """Add figures of a contender."""
        self.figures.setdefault(contender, {}).update(figures)

    def get(self, contender: str, key: str) -> float | None:
        """A figure, if it was measured."""
        return self.figures.get(contender, {}).get(key)


def percentile(ordered: list[float], share: float) -> float:
    """Nearest rank: the value that `share` of all are not above."""
    return ordered[max(1, math.ceil(len(ordered) * share)) - 1]
