"""What the watch saw of supervisors' pods: one that exits or is deleted is acted on at once."""

from __future__ import annotations

from typing import Any

import kopf

from makima.handlers.process import supervision_in
from makima.models.labels import ROLE_LABEL, SUPERVISOR_ROLE


async def pod_seen(event: Any, memo: kopf.Memo, **_: Any) -> None:
    """A pod of a supervisor was listed, added, changed or deleted."""
    supervision_in(memo).supervise.see_pod(event["type"], event["object"])


def watch_pods(settings: kopf.OperatorSettings) -> None:
    """Have kopf watch them; the API server itself leaves every other pod out."""
    settings.watching.label_selectors["", "v1", "pods"] = f"{ROLE_LABEL}={SUPERVISOR_ROLE}"
    kopf.on.event("", "v1", "pods")(pod_seen)
