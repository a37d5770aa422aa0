"""Starting the guard of a sandbox: a process that ends it when whoever it was started for is gone."""

from __future__ import annotations

import subprocess
import sys

from makima.sandbox.server_process import launch_detached


def start_guard(name: str, pid: int) -> None:
    """Start the guard of a sandbox, detached, so that Ctrl-C does not end it first."""
    launch_detached([sys.executable, "-m", "makima.sandbox.guard_process", name, str(pid)], subprocess.DEVNULL)
