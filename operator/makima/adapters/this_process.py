"""What a process knows of itself: its name among all others, and the time."""

from __future__ import annotations

import os
import socket
import uuid
from datetime import UTC, datetime


class SystemClock:
    """`makima.ports.Clock`: the machine's time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)


def identity() -> str:
    """Who this process is: unique, and telling where it runs."""
    return f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
