"""Start-up and clean-up of the operator's process: settings of kopf, leadership, the operator itself.

Start-up does not return until this process leads: a standby watches nothing and writes nothing. Leadership is given up by
exiting, so `kopf run` obeys it like `makima operator` (design, "Ordering" 5).
"""

from __future__ import annotations

from typing import Any

import kopf
from makima.config import load_config
from makima.handlers.process import KEY
from makima.wiring import OperatorProcess


@kopf.on.startup()
async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Configure kopf, wait for leadership, and begin."""
    configure(settings)
    process = memo.get(KEY) or OperatorProcess(load_config())
    memo[KEY] = process
    await process.lead()


@kopf.on.cleanup()
async def stop(memo: kopf.Memo, **_: Any) -> None:
    """Stop working, then let go of the Lease, so that a standby takes over at once."""
    process: OperatorProcess | None = memo.get(KEY)
    if process is not None:
        await process.close()


def configure(settings: kopf.OperatorSettings) -> None:
    """kopf's settings, each on purpose (measured on 1.45.2; design, "Measured")."""
    settings.posting.enabled = False  # Events are ours: stable reasons, sent after the write
    settings.peering.standalone = True  # leadership is a Lease; peering joins any object named `default`
    settings.scanning.disabled = True  # the three kinds are known; no rights to watch CRDs and namespaces needed
    settings.watching.initial_streaming = False  # a stream cut midway silently loses objects
    settings.watching.chunk_size = None  # an expired continue token ends the process
    settings.watching.inactivity_timeout = 70.0  # a watch that went silent is opened again
    settings.watching.server_timeout = 300.0  # a watch is renewed now and then, whatever is between us and the server
    settings.queueing.idle_timeout = 0.1  # handlers only hand over: keep no worker per object
    settings.networking.error_backoffs = (0.1, 0.5, 1, 2, 3, 5, 8, 8, 8, 8, 8, 8, 8, 8)  # an API server may restart
