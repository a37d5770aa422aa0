"""`python -m makima.sandbox.guard_process NAME PID`: ends a sandbox when the process is gone, even by SIGKILL."""

from __future__ import annotations

import os
import select
import sys
import time

from makima.sandbox.recorded import attach
from makima.sandbox.server_process import lives

POLL_SECONDS = 0.5


def wait_for_end(pid: int) -> None:
    """Wait until the process is gone, a zombie included."""
    if hasattr(os, "pidfd_open"):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        select.select([handle], [], [])
        return
    while lives(pid):
        time.sleep(POLL_SECONDS)


def main() -> None:
    """Wait, then end the sandbox if it is still there."""
    name, pid = sys.argv[1], int(sys.argv[2])
    wait_for_end(pid)
    sandbox = attach(name)
    if sandbox is not None:
        sandbox.stop()


if __name__ == "__main__":
    main()
