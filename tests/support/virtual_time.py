"""An event loop whose clock does not wait: where nothing can run before a timer is due, its time is there at once.

For tests of what knows the world by ports alone: no sockets, no threads, no processes, for which time would have to
pass. A time limit is one all the same: whoever waits for what never comes reaches it.
"""

from __future__ import annotations

import asyncio
import selectors


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Timers in their order, and each at its time, but none is waited for."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Seconds, as of a loop that had waited."""
        return super().time() + self._skipping.skipped


class _Skipping(selectors.DefaultSelector):
    """Gives what is ready now; the time until the next timer is skipped.

    Attributes:
        skipped: seconds that nobody waited for.
    """

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:  # no timer: only something from outside can go on
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.skipped += max(0.0, timeout)
        return ready
