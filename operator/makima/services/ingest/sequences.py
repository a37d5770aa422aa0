"""Which heartbeat of a life was stored last: so that one that is sent again, or too late, is recognised."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from uuid import UUID

from makima.models.supervision import Beat


class Order(Enum):
    """How a heartbeat stands to the last one of its life."""

    NEW = "new"
    DUPLICATE = "duplicate"
    LATE = "late"


Verdict = tuple[Order, int]
"""With the last sequence before it, where it is not new."""

NEW: Verdict = (Order.NEW, 0)
"""The same one for all that are new."""


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

    def each_is_next(self, beats: Sequence[Beat]) -> bool:
        """Whether `judge` would call them all new: each of another life known here, and newer. Usually so."""
        keys, known = [beat.contract_id.int for beat in beats], self._last.get
        if len(set(keys)) < len(keys):
            return False
        for beat, last in zip(beats, map(known, keys), strict=True):
            if last is None or last[0] != beat.incarnation or last[1] >= beat.sequence:
                return False
        return True

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

    def judge(self, beats: Sequence[Beat], learned: Mapping[int, tuple[int, int]]) -> list[Verdict]:
        """How each stands to what was stored and to those before it in `beats`."""
        seen: dict[int, tuple[int, int]] = {}
        verdicts: list[Verdict] = []
        for beat in beats:
            key, incarnation, sequence = beat.contract_id.int, beat.incarnation, beat.sequence
            known = seen.get(key) or learned.get(key) or self._last.get(key)
            if known is None or incarnation > known[0] or (incarnation == known[0] and sequence > known[1]):
                seen[key] = (incarnation, sequence)
                verdicts.append(NEW)
            elif incarnation < known[0]:
                verdicts.append(NEW)  # of an older life: for Postgres to refuse
            else:
                verdicts.append((Order.DUPLICATE if sequence == known[1] else Order.LATE, known[1]))
        return verdicts

    def stored(self, beats: Iterable[Beat]) -> None:
        """They are committed."""
        last = self._last
        ordered = 2 * len(last) >= self._most  # who was heard last matters only to whom there may be no room for
        for beat in beats:
            key = beat.contract_id.int
            last[key] = (beat.incarnation, beat.sequence)
            if ordered:
                last.move_to_end(key)
        while len(last) > self._most:
            last.popitem(last=False)

    def forget(self, beats: Sequence[Beat]) -> None:
        """Nobody knows whether these were committed."""
        for beat in beats:
            self._last.pop(beat.contract_id.int, None)
