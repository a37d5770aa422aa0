"""What the watch saw of the operator's Jobs: tasks, and clearings of workspaces."""

from __future__ import annotations

from typing import Any

import kopf

from makima.handlers.process import supervision_in
from makima.models.labels import ROLE_LABEL


async def job_seen(event: Any, memo: kopf.Memo, **_: Any) -> None:
    """A Job of the operator's was listed, added, changed or deleted."""
    supervision_in(memo).task_jobs.see_job(event["type"], event["object"])


def watch_jobs(settings: kopf.OperatorSettings) -> None:
    """Have kopf watch them; the API server itself leaves every other Job out."""
    settings.watching.label_selectors["batch", "v1", "jobs"] = ROLE_LABEL
    kopf.on.event("batch", "v1", "jobs")(job_seen)
