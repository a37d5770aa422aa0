"""Storing a group: what repeats or comes too late is recognised, the rest is for Postgres to take or to refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from makima.models.supervision import Beat, BeatOutcome, BeatResult
from makima.ports import Clock
from makima.services.ingest.sequences import NEW, LastSequences, Verdict
from makima.services.ingest.taken import STORED, Result, Taken, taken_as, with_refused
from makima.stores import HeartbeatStore

REPEATED_WITHIN = timedelta(minutes=10)
"""How far back Postgres is asked for the last heartbeat of a life that this process does not know."""


class OrderedStore:
    """Stores each heartbeat of a life once and in order, for groups of which no two at a time share a contract.

    Attributes:
        on_stored: called with the heartbeats of each group that were stored.
    """

    def __init__(self, store: HeartbeatStore, clock: Clock, lives: int) -> None:
        self._store, self._clock = store, clock
        self._sequences = LastSequences(lives)
        self.on_stored: Callable[[Sequence[Beat]], None] = lambda _: None

    async def store(self, beats: Sequence[Beat]) -> list[Taken]:
        """Store what is new; what became of each.

        Raises:
            HistoryUnavailable: nothing is known about any of them; see `forget`.
        """
        verdicts = await self._verdicts(beats)
        fresh = [beat for beat, verdict in zip(beats, verdicts, strict=True) if verdict is NEW]
        results = await self._store.store(fresh) if fresh else ()
        if len(fresh) == len(beats) and all(result.outcome is BeatOutcome.STORED for result in results):
            taken, kept = [STORED] * len(beats), beats
        else:
            taken = _taken(beats, verdicts, results)
            kept = [beat for beat, one in zip(beats, taken, strict=True) if one.result is Result.STORED]
        self._sequences.stored(kept)
        self.on_stored(kept)
        return taken

    async def _verdicts(self, beats: Sequence[Beat]) -> list[Verdict]:
        if self._sequences.each_is_next(beats):
            return [NEW] * len(beats)
        unknown = self._sequences.unknown(beats)
        if not unknown:
            return self._sequences.judge(beats, {})
        since = self._clock.now() - REPEATED_WITHIN
        learned = self._sequences.learn(unknown, await self._store.last_sequences(unknown, since))
        return self._sequences.judge(beats, learned)

    def forget(self, beats: Sequence[Beat]) -> None:
        """Nobody knows whether these were committed: Postgres is asked before the next ones."""
        self._sequences.forget(beats)


def _taken(beats: Sequence[Beat], verdicts: Sequence[Verdict], results: Sequence[BeatResult]) -> list[Taken]:
    found = iter(results)
    return with_refused(beats, [taken_as(order, last, found) for order, last in verdicts])
