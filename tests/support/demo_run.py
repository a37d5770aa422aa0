"""The demo as a process of its own, which knows nothing of the run's own sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def demo(*options: str) -> str:
    """Run it; what it printed. That it did not get through is the test's failure."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKIMA_")}
    command = [sys.executable, "examples/demo/run.py", *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout
