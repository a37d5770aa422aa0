"""`python -m makima.sandbox.guard`: ends a sandbox when the process that it was started for is gone."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time

from makima.sandbox.server_process import launch_detached, lives

POLL_SECONDS = 0.5


def start_guard(name: str, pid: int) -> None:
    """Start the guard of a sandbox, detached, so that Ctrl-C does not end it first."""
    launch_detached([sys.executable, "-m", "makima.sandbox.guard", name, str(pid)], subprocess.DEVNULL)


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
    from makima.sandbox.sandbox import attach  # noqa: PLC0415  # which imports this module

    name, pid = sys.argv[1], int(sys.argv[2])
    wait_for_end(pid)
    sandbox = attach(name)
    if sandbox is not None:
        sandbox.stop()


if __name__ == "__main__":
    main()
