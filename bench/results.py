"""What is measured, and what it is compared with."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """How large the measurement is, and where its logs go.

    Attributes:
        start_sizes: number of contracts at a start, by the label under which it is shown.
    """

    scratch: Path
    quick: bool
    start_sizes: dict[str, int]
    lives: int
    failover_size: int
    latency_seconds: int
    rates: tuple[int, ...] = (10, 45)

    def tell(self, what: str) -> None:
        """Say what is being measured; the table itself goes to stdout."""
        print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)

    @classmethod
    def of(cls, scratch: Path, *, quick: bool) -> Run:
        """The full measurement, or one that is only to see that everything works."""
        if quick:
            return cls(scratch, quick, {"many": 250}, lives=50, failover_size=50, latency_seconds=4)
        return cls(scratch, quick, {"many": 5000, "some": 1000}, lives=1000, failover_size=1000, latency_seconds=30)


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
