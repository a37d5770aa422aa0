"""Which save points there are in a run of `agent.py`, and which of them are met by which kill: values from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Victim = Literal["process", "pod", "api", "operator", "postgres"]
When = Literal["before", "after"]

VICTIMS: tuple[Victim, ...] = ("process", "pod", "api", "operator", "postgres")
WHENS: tuple[When, ...] = ("before", "after")

POINTS = (
    "register",
    "message began",
    "state after message began",
    "spawn survey",
    "state after spawn survey",
    "end task",
    "state after end task",
    "ask",
    "state after ask",
    "acknowledge",
    "message answered",
    "state after message answered",
    "deliver plan-document",
    "message planned",
    "state after message planned",
    "checkpoint",
    "advance execute",
    "state after advance execute",
    "heartbeat in execute",
    "message built",
    "state after message built",
    "deliver pull-request",
    "advance Completed",
)
"""Calls of the agent, in the order in which they are made."""

BACKGROUND = frozenset({"acknowledge", "heartbeat in execute"})
"""Calls for which the agent does not wait, or not for long."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill.

    Attributes:
        point: the call at which it happens.
        when: before it reaches the API service, or once it is stored and before the caller learns so.
        victim: who gets SIGKILL: the supervisor's process, its pod, both API replicas, the operator, or Postgres.
    """

    point: str
    when: When
    victim: Victim

    def __str__(self) -> str:
        return f"{self.victim} {self.when} {self.point}"

    @property
    def takes_the_life(self) -> bool:
        """Whether the supervisor itself dies."""
        return self.victim in {"process", "pod"}


def every_kill(victims: Iterable[Victim] = VICTIMS) -> list[Kill]:
    """Every victim at every point, before and after."""
    return [Kill(point, when, victim) for victim in victims for point in POINTS for when in WHENS]


def sample(kills: Sequence[Kill], seed: int, count: int) -> list[Kill]:
    """So many of them, as evenly over the victims as can be."""
    chance = random.Random(seed)
    by_victim = {victim: [kill for kill in kills if kill.victim == victim] for victim in VICTIMS}
    decks = [chance.sample(deck, len(deck)) for deck in by_victim.values() if deck]
    dealt = [kill for row in zip(*decks, strict=False) for kill in row]
    return dealt[:count]


def part(kills: Sequence[Kill], seed: int, number: int, parts: int) -> list[Kill]:
    """Every so many-th of them, from 1 on; all parts together are all kills, each once."""
    chance = random.Random(seed)
    return chance.sample(list(kills), len(kills))[number - 1 :: parts]


def runs(kills: Sequence[Kill], seed: int, most: int) -> list[list[Kill]]:
    """Spread kills over as few runs as it takes, in the order in which each run comes to them.

    Two kills of a run are never at the same or at neighbouring points: what a life does not repeat after the first
    would never come to the second. None comes after one in the background, which the rest may overtake.
    """
    chance = random.Random(seed)
    found: list[list[Kill]] = []
    for kill in chance.sample(list(kills), len(kills)):
        place = next((run for run in found if len(run) < most and _fits(kill, run)), None)
        if place is None:
            place = []
            found.append(place)
        place.append(kill)
    return [sorted(run, key=lambda kill: POINTS.index(kill.point)) for run in found]


def _fits(kill: Kill, run: Sequence[Kill]) -> bool:
    every = sorted(POINTS.index(one.point) for one in (*run, kill))
    apart = all(later - earlier > 1 for earlier, later in pairwise(every))
    return apart and not any(POINTS[place] in BACKGROUND for place in every[:-1])
