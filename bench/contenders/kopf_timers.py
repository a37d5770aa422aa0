"""The same watch as kopf's documentation does it: a timer per object that looks at its last heartbeat every second.

Run with `kopf run --quiet`. The log gets `looks N` every second, and `silent SECONDS`: how long after its deadline an
object was found, once for each.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import kopf

TIMEOUT = timedelta(seconds=120)
INTERVAL = 1.0
_looks = 0
_found: set[str] = set()


@kopf.timer("makima.dev", "v1alpha1", "supervisors", interval=INTERVAL)
async def look(status: kopf.Status, name: str, **_: Any) -> None:
    """Whether it is silent."""
    global _looks  # noqa: PLW0603  # kopf calls a bare function
    _looks += 1
    said = status.get("lastHeartbeatTime")
    if said is None or name in _found:
        return
    over = datetime.now(UTC) - datetime.fromisoformat(said) - TIMEOUT
    if over > timedelta(0):
        _found.add(name)
        print(f"silent {over.total_seconds():.3f}", flush=True)


def _tell() -> None:
    while True:
        time.sleep(1)
        print(f"looks {_looks}", flush=True)


@kopf.on.startup()
async def begin(**_: Any) -> None:
    """Tell how often was looked."""
    Thread(target=_tell, daemon=True).start()
    print("begun", file=sys.stderr, flush=True)
