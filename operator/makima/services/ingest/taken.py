"""What became of heartbeats: stored, or which of the reasons not to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from makima.models.supervision import Beat, BeatOutcome, BeatResult
from makima.services.ingest.sequences import Order


class Result(StrEnum):
    """What became of a heartbeat; also the label of `supervisor_heartbeats_total`."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    LATE = "late"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a heartbeat.

    Attributes:
        current: incarnation that is current, for SUPERSEDED.
        last: sequence stored last, for LATE.
    """

    result: Result
    current: int = 0
    last: int = 0


STORED = Taken(Result.STORED)


def counted(taken: list[Taken]) -> Iterator[tuple[Result, int]]:
    """How many of each result; usually all are stored."""
    others = [one.result for one in taken if one is not STORED]
    if len(others) < len(taken):
        yield Result.STORED, len(taken) - len(others)
    for result in Result:
        number = others.count(result) if others else 0
        if number:
            yield result, number


def with_refused(beats: Sequence[Beat], taken: list[Taken]) -> list[Taken]:
    """What repeats a heartbeat of the same group that was refused is refused like it."""
    refused = {
        (beat.contract_id, beat.incarnation): one
        for beat, one in zip(beats, taken, strict=True)
        if one.result in (Result.SUPERSEDED, Result.UNKNOWN)
    }
    if not refused:
        return taken
    return [refused.get((beat.contract_id, beat.incarnation), one) for beat, one in zip(beats, taken, strict=True)]


def taken_as(order: Order, last: int, results: Iterator[BeatResult]) -> Taken:
    """By its place in its life's order; of one that was new to it the store has the word, in `results`."""
    if order is Order.DUPLICATE:
        return Taken(Result.DUPLICATE, last=last)
    if order is Order.LATE:
        return Taken(Result.LATE, last=last)
    result = next(results)
    if result.outcome is BeatOutcome.STORED:
        return STORED
    return Taken(Result(result.outcome.value), current=result.current)
