"""How long to wait after failures in a row."""

from __future__ import annotations


def retry_delay(failures: int, *, first: float = 0.2, factor: float = 2.0, longest: float = 30.0) -> float:
    """Seconds until the next try after `failures` failures in a row (1 or more): exponential, capped."""
    exponent = min(failures - 1, 30)
    return float(min(longest, first * factor**exponent))
