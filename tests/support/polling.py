"""How often tests look at what they wait for: all of them share one API server and two cores."""

from __future__ import annotations

SOONEST, LATEST = 0.03, 0.2


def pause(waited: float) -> float:
    """Seconds until the next look: a tenth of what was waited so far, so no wait is much longer than it has to be."""
    return min(LATEST, max(SOONEST, waited / 10))
