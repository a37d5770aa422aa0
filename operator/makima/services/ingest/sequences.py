"""Which heartbeat of a life was stored last: so that one that is sent again, or too late, is recognised."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from enum import Enum
from uuid import UUID

from makima.models.supervision import Beat


class Order(Enum):
    """How a heartbeat stands to the last one of its life."""

    NEW = "new"
    DUPLICATE = "duplicate"
    LATE = "late"


class LastSequences:
    """The last sequence of every life that this process has heard of lately; the longest silent ones go first.

    What is not known here is asked of Postgres (`unknown`, `learn`): after a start, after a failed group of which
    nobody knows whether it was committed, and for a life that another replica has heard of.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: OrderedDict[int, tuple[int, int]] = OrderedDict()  # by UUID.int: the hash of a UUID is Python code

    def __len__(self) -> int:
        return len(self._last)

    def unknown(self, beats: Sequence[Beat]) -> dict[UUID, int]:
        """Lives (contract id → incarnation) of which nothing is known here."""
        lives: dict[UUID, int] = {}
        for beat in beats:
            known = self._last.get(beat.contract_id.int)
            if known is None or known[0] < beat.incarnation:
                lives[beat.contract_id] = max(beat.incarnation, lives.get(beat.contract_id, 0))
        return lives

    def learn(self, lives: Mapping[UUID, int], found: Mapping[UUID, int]) -> Mapping[int, tuple[int, int]]:
        """What Postgres says of lives, for one judgement: a life that turns out to be none must not be kept."""
        return {contract.int: (incarnation, found.get(contract, 0)) for contract, incarnation in lives.items()}

    def judge(self, beats: Sequence[Beat], learned: Mapping[int, tuple[int, int]]) -> list[tuple[Order, int]]:
        """How each stands to what was stored and to those before it in `beats`; with the last sequence before it."""
        seen: dict[int, tuple[int, int]] = {}
        return [self._judge(beat, seen, learned) for beat in beats]

    def _judge(
        self, beat: Beat, seen: dict[int, tuple[int, int]], learned: Mapping[int, tuple[int, int]]
    ) -> tuple[Order, int]:
        key = beat.contract_id.int
        known = seen.get(key) or learned.get(key) or self._last.get(key)
        if known is not None and beat.incarnation < known[0]:
            return Order.NEW, 0  # of an older life: for Postgres to refuse
        if known is None or beat.incarnation > known[0]:
            seen[key] = (beat.incarnation, beat.sequence)
            return Order.NEW, 0
        if beat.sequence > known[1]:
            seen[key] = (beat.incarnation, beat.sequence)
            return Order.NEW, known[1]
        return (Order.DUPLICATE if beat.sequence == known[1] else Order.LATE), known[1]

    def stored(self, beat: Beat) -> None:
        """It is committed."""
        last, key = self._last, beat.contract_id.int
        last[key] = (beat.incarnation, beat.sequence)
        last.move_to_end(key)
        if len(last) > self._most:
            last.popitem(last=False)

    def forget(self, beats: Sequence[Beat]) -> None:
        """Nobody knows whether these were committed."""
        for beat in beats:
            self._last.pop(beat.contract_id.int, None)
