"""Which states of supervisors were told already: nothing numbers them, so they are known by their order."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

REMEMBERED = 10_000
"""Supervisors."""

AHEAD = 100
"""States of one supervisor that the watch may be ahead of the stream; of more, the oldest may come twice."""


@dataclass(slots=True)
class Told:
    """Of one supervisor.

    Attributes:
        last: the state that was told last.
        ahead: what the watch told and the stream has still to tell.
    """

    last: str = ""
    ahead: deque[str] = field(default_factory=lambda: deque(maxlen=AHEAD))


class SupervisorStatesTold:
    """What was told of each contract's supervisor, by the stream and by a watch.

    A supervisor comes back to a state, so a state by itself says nothing. But the stream tells all of them in order,
    and the watch tells some of these, in the same order; and whoever is in a state does not enter it.
    """

    def __init__(self) -> None:
        self._of: OrderedDict[str, Told] = OrderedDict()

    def by_watch(self, contract_id: str, state: str) -> bool:
        """Whether the watch's news is news."""
        told = self._told(contract_id)
        if told.last == state:
            return False
        told.last = state
        told.ahead.append(state)
        return True

    def by_stream(self, contract_id: str, state: str) -> bool:
        """The same for the stream, which also tells what the watch saw too late."""
        told = self._told(contract_id)
        if told.ahead and told.ahead[0] == state:
            told.ahead.popleft()
            return False
        told.last = state
        return True

    def stream_goes_on(self) -> None:
        """The stream tells what happens from now on, and nothing of what the watch told."""
        for told in self._of.values():
            told.ahead.clear()

    def _told(self, contract_id: str) -> Told:
        found = self._of.setdefault(contract_id, Told())
        self._of.move_to_end(contract_id)
        if len(self._of) > REMEMBERED:
            self._of.popitem(last=False)
        return found
