"""The same work as a plain kopf operator: `kopf run`, written the way kopf's tutorial and documentation do it.

`on.create`, `on.resume`, `on.update` and `on.field` handlers that fill in `patch.status`, a timer per object that looks
for stale contracts, `kopf.info` for the Events. kopf's own settings are left as they come.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import kopf

from bench.contenders.next_status import next_status

GROUP, VERSION, PLURAL = "makima.dev", "v1alpha1", "contracts"
STALE_AFTER = timedelta(minutes=30)
WATCHED = ("Created", "Active", "WaitingForInput", "Blocked", "Completing")
TOLD = ("Active", "WaitingForInput", "Completed", "Paused")


@kopf.on.create(GROUP, VERSION, PLURAL)
@kopf.on.resume(GROUP, VERSION, PLURAL)
@kopf.on.update(GROUP, VERSION, PLURAL, field="spec")
@kopf.on.field(GROUP, VERSION, PLURAL, field="status.state")
def drive(body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
    """Take the next step, if there is one; the change of status.state brings kopf back for the one after it."""
    after = next_status(dict(body))
    if after is None:
        return
    patch.status.update(after)
    if after["state"] in TOLD:
        kopf.info(body, reason=after["state"], message=f"{after['state']} in {after['phase']}")


@kopf.timer(GROUP, VERSION, PLURAL, interval=60.0, initial_delay=60.0)
def look_for_staleness(body: kopf.Body, **_: Any) -> None:
    """Tell when nothing has happened for too long; makima's interval and threshold."""
    status = body.status
    if status.get("state") not in WATCHED:
        return
    last = datetime.fromisoformat(status["lastActivityTime"])
    if datetime.now(UTC) - last > STALE_AFTER:
        kopf.warn(body, reason="Stale", message=f"Nothing has happened since {last}")
