"""What the watches saw of supervisors. Registered at start-up, and only if supervisors are looked at at all."""

from __future__ import annotations

from typing import Any

import kopf

from makima.handlers.process import operator_in, supervision_in
from makima.models.markers import API_GROUP, API_VERSION


async def supervisor_seen(event: Any, memo: kopf.Memo, **_: Any) -> None:
    """A Supervisor was listed, added, changed or deleted."""
    operator_in(memo).see_supervisor(event["type"], event["object"])
    supervision_in(memo).supervise.see_supervisor(event["type"], event["object"])


def watch_supervisors() -> None:
    """Have kopf watch Supervisors."""
    kopf.on.event(API_GROUP, API_VERSION, "supervisors")(supervisor_seen)
