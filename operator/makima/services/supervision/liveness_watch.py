"""The flow `timer → overdue? → restart`: one index of deadlines, one sweep, one question to Postgres for all.

A supervisor is dead only if the index says that its timeout is over, Postgres has no newer heartbeat of its life, and
the ingest was there to take one (ADR 0006, "Time"). While Postgres does not answer nobody is judged, so nobody dies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from makima.domain.supervision.liveness import Alive, Dead, Judgement, Uncovered, judge
from makima.errors import HistoryUnavailable
from makima.models.supervision import Span
from makima.ports import Clock
from makima.services.control_loop.deadline_index import DeadlineIndex
from makima.services.supervision.supervisor_cache import Name
from makima.stores import CoverageStore, HeartbeatStore

AGAIN = timedelta(seconds=1)
"""How long after Postgres did not answer it is asked again."""

LONGEST_LOOK_BACK = timedelta(days=2)
"""Spans of the coverage that are asked for; a longer timeout than that is not allowed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """One life that is listened to.

    Attributes:
        heard: last sign of life, as far as it is known here.
    """

    contract_id: UUID
    name: Name
    incarnation: int
    heard: datetime
    timeout: timedelta


class LivenessWatch:
    """Finds the silent ones among all lives.

    Attributes:
        on_dead: called with a life that is dead; it is told again with every sweep until it is watched no more.
        on_heard: called with a life of which Postgres has a newer heartbeat than was known here.
    """

    def __init__(self, heartbeats: HeartbeatStore, coverage: CoverageStore, clock: Clock) -> None:
        self._heartbeats, self._coverage, self._clock = heartbeats, coverage, clock
        self._index, self._watched = DeadlineIndex(), dict[str, Watched]()
        self.on_dead: Callable[[Watched, Dead], None] = lambda _watched, _dead: None
        self.on_heard: Callable[[Watched], None] = lambda _watched: None

    def __len__(self) -> int:
        return len(self._watched)

    def expect(self, watched: Watched) -> None:
        """Listen to this life; what is known of it already and is newer stays.

        A newer sign of life does not touch the index: the sweep sees it when the old deadline has come.
        """
        key = str(watched.contract_id)
        before = self._watched.get(key)
        if before is not None and before.incarnation == watched.incarnation and before.timeout == watched.timeout:
            self._watched[key] = replace(watched, heard=max(before.heard, watched.heard))
            return
        self._watched[key] = watched
        self._index.set(key, watched.heard + watched.timeout)

    def heard(self, contract_id: UUID, incarnation: int, at: datetime) -> None:
        """A life gave a sign; one that is not listened to is left alone."""
        known = self._watched.get(str(contract_id))
        if known is not None and known.incarnation == incarnation and at > known.heard:
            self._watched[str(contract_id)] = replace(known, heard=at)

    def ignore(self, contract_id: UUID) -> None:
        """Its silence means nothing (paused, suspended, finished, gone)."""
        self._watched.pop(str(contract_id), None)
        self._index.set(str(contract_id), None)

    async def sweep(self) -> int:
        """Look at everything whose deadline has come; how many were found dead. Never raises for Postgres' sake."""
        now = self._clock.now()
        due = [self._watched[key] for key in self._index.due(now) if key in self._watched]
        silent = [item for item in due if not self._put_back(item, now)]
        if not silent:
            return 0
        try:
            return await self._judge(silent, now)
        except HistoryUnavailable as error:
            log.warning("%d supervisors are silent, but Postgres can't say for how long: %s", len(silent), error)
            for item in silent:
                self._again(item, now + AGAIN)
            return 0

    def _put_back(self, item: Watched, now: datetime) -> bool:
        """Whether it was heard since its deadline was set."""
        deadline = item.heard + item.timeout
        if deadline <= now:
            return False
        self._again(item, deadline)
        return True

    async def _judge(self, silent: Sequence[Watched], now: datetime) -> int:
        newest = await self._heartbeats.newest({item.contract_id: item.incarnation for item in silent})
        spans = _joined(await self._coverage.spans(self._since(silent, now)))
        return sum(self._take(item, newest, spans, now) for item in silent)

    def _since(self, silent: Sequence[Watched], now: datetime) -> datetime:
        return max(min(item.heard for item in silent), now - LONGEST_LOOK_BACK)

    def _take(self, item: Watched, newest: Mapping[UUID, datetime], spans: Sequence[Span], now: datetime) -> bool:
        current = self._watched.get(str(item.contract_id))
        if current is None or current.incarnation != item.incarnation:
            return False  # another life began while Postgres was asked
        found = newest.get(item.contract_id)
        if found is not None and found > item.heard:
            item = replace(item, heard=found)
            self._watched[str(item.contract_id)] = item
            self.on_heard(item)
        return self._act(item, judge(max(item.heard, now - LONGEST_LOOK_BACK), item.timeout, spans, now), now)

    def _act(self, item: Watched, found: Judgement, now: datetime) -> bool:
        match found:
            case Alive(until):
                self._again(item, until)
            case Uncovered(look_at=look_at):
                self._again(item, max(look_at, now + AGAIN))
            case Dead():
                self._again(item, now + item.timeout)
                self.on_dead(item, found)
                return True
        return False

    def _again(self, item: Watched, at: datetime) -> None:
        self._index.set(str(item.contract_id), at)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The same coverage in as few spans as it has, by start: it is gone through once for each candidate."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda item: item.started_at):
        if joined and span.started_at <= joined[-1].until_at:
            joined[-1] = Span(joined[-1].started_at, max(joined[-1].until_at, span.until_at))
        else:
            joined.append(span)
    return joined
