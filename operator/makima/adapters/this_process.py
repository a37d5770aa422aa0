"""What a process knows of itself: its name among all others, and the time; and how seldom it looks for garbage."""

from __future__ import annotations

import gc
import os
import socket
import uuid
from datetime import UTC, datetime

COLLECTIONS = (100_000, 50, 100)
"""Thresholds of Python's collector. Heartbeats and contracts make objects that their count frees; with the usual
thresholds a fifth of the API service's time went into looking for cycles (docs/benchmarks.md)."""


class SystemClock:
    """`makima.ports.Clock`: the machine's time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)


def identity() -> str:
    """Who this process is: unique, and telling where it runs."""
    return f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"


def collect_seldom() -> None:
    """Look for garbage in cycles as seldom as a process can that makes many objects and few cycles."""
    gc.set_threshold(*COLLECTIONS)
