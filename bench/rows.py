"""The rows of the table: what is shown, what Argo Workflows 4.1 needs for it, and what is aimed at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.results import Results

Judge = Callable[[Results], bool | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        key: in `Results`; for a ratio the key of its own that `ratios` fills in.
        argo: as given by the issue, best of a range; less is better everywhere.
        least, most: the aim, if there is one of its own; being ahead of Argo is an aim in any case.
        sized: depends on the size of the run, so that a quick run is not judged against Argo.
    """

    title: str
    unit: str
    key: str
    digits: int = 1
    argo: float | None = None
    argo_shown: str = ""
    least: float | None = None
    most: float | None = None
    sized: bool = False

    def aim(self) -> str:
        """What is aimed at."""
        parts = []
        if self.least is not None:
            parts.append(f"≥ {self.least:g}")
        if self.most is not None:
            parts.append(f"≤ {self.most:g}")
        if self.argo is not None:
            parts.append(f"< {self.argo:g}")
        return ", ".join(parts)

    def met(self, value: float | None, *, quick: bool) -> bool | None:
        """Whether makima's figure is where it should be; None if there is no aim, or no figure, or it can't be told."""
        if value is None or not self.aim():
            return None
        if self.sized and quick:
            return None
        wanted = [self.least is None or value >= self.least, self.most is None or value <= self.most]
        return all([*wanted, self.argo is None or value < self.argo])


def start_rows(label: str, size: int, argo_seconds: float, argo_memory: float) -> list[Row]:
    """Rows of one size of the start."""
    name = f"{size:,} contracts"
    return [
        Row(f"restart, {name}: first reaction", "s", f"{label}.reaction", 2, argo_seconds, sized=True),
        Row("  times faster than plain kopf", "×", f"{label}.faster", least=10, sized=True),
        Row("  times a bare LIST", "×", f"{label}.lists", most=3, sized=True),
        Row("  bare LIST before it", "s", f"{label}.list", 2),
        Row("  peak memory", "MiB", f"{label}.peak", 0, argo_memory, sized=True),
        Row("  writes on contracts", "", f"{label}.writes", 0, most=0),
        Row(f"first start, {name} new: first reaction", "s", f"{label}.first.reaction", 2),
        Row("  times faster than plain kopf", "×", f"{label}.first.faster"),
        Row("  until all wait for confirmation", "s", f"{label}.first.all", 1),
        Row("  writes per contract", "", f"{label}.first.writes", 2),
    ]


def latency_rows(rate: int, argo: tuple[float, float] | None) -> list[Row]:
    """Rows of one rate."""
    p50, p99 = argo or (None, None)
    return [
        Row(f"create → Active at {rate}/s: p50", "ms", f"r{rate}.p50", 0, p50),
        Row("  p99", "ms", f"r{rate}.p99", 0, p99),
        Row("  p99, times the raw loop's", "×", f"r{rate}.raw", most=2),
        Row("  load generator late by (p99)", "ms", f"r{rate}.late"),
    ]


def life_rows(number: int) -> list[Row]:
    """Rows of whole lives."""
    return [
        Row(f"{number:,} created and Active", "s", "life.active", 1, 4.3, "4.3–5.9", sized=True),
        Row("  all wait for confirmation", "s", "life.waiting", 1),
        Row("  five phases each, to Completed", "s", "life.total", 1, 47, "47–63", sized=True),
        Row("  status writes per contract", "", "life.status", 2),
        Row("  status writes per transition", "", "life.per_transition", 2, most=1.2),
        Row("  object writes of the operator per contract", "", "life.objects", 2, 12),
        Row("  Events per contract", "", "life.events", 2, 18),
        Row("  refused writes per contract", "", "life.refused", 2),
        Row("  peak memory", "MiB", "life.peak", 0),
    ]


FAILOVER = Row("leader killed: first reaction", "s", "failover", 1, 21)


def ratios(results: Results, labels: list[str], rates: tuple[int, ...]) -> None:
    """Fill in what is a ratio of two figures of this run."""
    for label in labels:
        _ratio(results, f"{label}.faster", ("plain_kopf", f"{label}.reaction"), ("makima", f"{label}.reaction"))
        first = f"{label}.first"
        _ratio(results, f"{first}.faster", ("plain_kopf", f"{first}.reaction"), ("makima", f"{first}.reaction"))
        for contender in list(results.figures):
            _ratio(results, f"{label}.lists", (contender, f"{label}.reaction"), (contender, f"{label}.list"), contender)
    for rate in rates:
        for contender in list(results.figures):
            _ratio(results, f"r{rate}.raw", (contender, f"r{rate}.p99"), ("raw_watch", f"r{rate}.p99"), contender)


def _ratio(
    results: Results, key: str, above: tuple[str, str], below: tuple[str, str], contender: str = "makima"
) -> None:
    top, bottom = results.get(*above), results.get(*below)
    if top is not None and bottom:
        results.put(contender, **{key: top / bottom})
