"""Every wait has an end, and says what it waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class BenchError(Exception):
    """A measurement could not be made; says why."""


async def until(condition: Callable[[], object], seconds: float, what: str, *, pause: float = 0.01) -> None:
    """Wait until the condition holds.

    Raises:
        BenchError: it did not, in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"waited {seconds:.0f} s for: {what}")
        await asyncio.sleep(pause)
