"""What was killed where, in one table for the whole run of pytest: tests say it (`say`), the controller prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.support.kills.plans import POINTS, VICTIMS, WHENS, Kill, Victim

PROPERTY = "kills"
"""Travels with a test's report from a worker of xdist to its controller."""

Said = Mapping[str, Any]


def say(
    record: Callable[[str, object], None],
    kills: Iterable[Kill],
    seed: int,
    contracts: int,
    away: Mapping[Victim, Sequence[float]],
) -> None:
    """Tell the controller, by pytest's `record_property`.

    Args:
        kills: which happened, each as often as it did.
        seed: of the plan.
        contracts: that were carried meanwhile.
        away: seconds until the victim was back, each time.
    """
    record(
        PROPERTY,
        {
            "kills": [[kill.point, kill.when, kill.victim] for kill in kills],
            "seed": seed,
            "contracts": contracts,
            "away": {victim: list(seconds) for victim, seconds in away.items()},
        },
    )


def lines(title: str, said: Sequence[Said]) -> list[str]:
    """The table of these tests: a row for each point, and under each victim when it was killed there."""
    hit = Counter(Kill(*kill) for one in said for kill in one["kills"])
    seeds = ", ".join(str(seed) for seed in sorted({one["seed"] for one in said}))
    contracts, places = sum(one["contracts"] for one in said), len(POINTS) * len(WHENS) * len(VICTIMS)
    return [
        f"{title}, seed {seeds}, {contracts} contracts:",
        f"{hit.total()} kills at {len(hit)} of {places} places (point, before or after it, victim)",
        _row("", VICTIMS),
        *(_row(point, [_cell(hit, point, victim) for victim in VICTIMS]) for point in POINTS),
        _row("kills", [str(_number(hit, victim)) for victim in VICTIMS]),
        _row("back after, s", [_away(said, victim) for victim in VICTIMS]),
    ]


def _row(head: str, cells: Sequence[str]) -> str:
    return " ".join([head.ljust(max(map(len, POINTS))), *(cell.rjust(14) for cell in cells)])


def _cell(hit: Counter[Kill], point: str, victim: Victim) -> str:
    return " ".join(when for when in WHENS if hit[Kill(point, when, victim)]) or "-"


def _number(hit: Counter[Kill], victim: Victim) -> int:
    return sum(number for kill, number in hit.items() if kill.victim == victim)


def _away(said: Sequence[Said], victim: Victim) -> str:
    """Median and longest."""
    seconds = sorted(number for one in said for number in one["away"].get(victim, ()))
    return f"{seconds[len(seconds) // 2]:.1f} to {seconds[-1]:.1f}" if seconds else "-"
