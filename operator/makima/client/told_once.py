"""Which events were told already, where two tell of the same things: makima's stream, and a watch of Kubernetes."""

from __future__ import annotations

from collections import OrderedDict

from makima.client.stream import Frame
from makima.client.supervisor_states_told import SupervisorStatesTold
from makima.domain.monitor.seen_changes import identity

REMEMBERED = 10_000
"""Events of either that are known again when the other tells them."""

STATE = "SupervisorStateChanged"


class ToldOnce:
    """Remembers what each of the two told.

    The stream tells nothing twice by itself; the watch does when it begins anew, with what is written to a resource
    later than to the history.
    """

    def __init__(self) -> None:
        self._stream: OrderedDict[tuple[str, ...], None] = OrderedDict()
        self._watch: OrderedDict[tuple[str, ...], None] = OrderedDict()
        self._states = SupervisorStatesTold()

    def by_stream(self, frame: Frame) -> bool:
        """Whether it is to be told; heartbeats, and what the watch does not know, always are."""
        if frame["type"] == STATE:
            return self._states.by_stream(*_state(frame))
        if frame["type"] == "Missed":
            self.stream_goes_on()  # the states that it left out never come
        event = identity(frame)
        if event is None:
            return True
        _keep(self._stream, event)
        return event not in self._watch

    def by_watch(self, frame: Frame) -> bool:
        """The same for a frame of the watch."""
        if frame["type"] == STATE:
            return self._states.by_watch(*_state(frame))
        event = identity(frame)
        if event is None:
            return True
        known = event in self._stream or event in self._watch
        _keep(self._watch, event)
        return not known

    def stream_goes_on(self) -> None:
        """The stream tells what happens from now on, and not all of what the watch told."""
        self._states.stream_goes_on()


def _state(frame: Frame) -> tuple[str, str]:
    return str(frame["contract_id"]), str(frame["new_state"])


def _keep(memory: OrderedDict[tuple[str, ...], None], event: tuple[str, ...]) -> None:
    memory[event] = None
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
