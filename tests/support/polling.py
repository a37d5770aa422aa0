"""How often tests look at what they wait for: all of them share one API server and two cores."""

from __future__ import annotations

SOONEST, LATEST = 0.05, 0.3


def pause(waited: float) -> float:
    """Seconds until the next look: a fifth of what was waited so far, so no wait is much longer than it has to be."""
    return min(LATEST, max(SOONEST, waited / 5))
