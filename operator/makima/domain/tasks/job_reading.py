"""From a Job as Kubernetes tells it to what became of a task or of a clearing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makima.models.labels import CLEARING_LABEL, ROLE_LABEL, TASK_LABEL

MESSAGE = 256


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A Job that the operator made.

    Attributes:
        owner: UID of the contract.
        role: what it is for (`makima.models.labels`).
        task: id of the task, for a task's Job.
        clearing: which clearing of its workspace it makes; None = none, or it does not say.
        ended_at: when it came to its end; None = it has not.
        failed: it ended, and not as it should.
        message: why it failed, in Kubernetes' words.
    """

    namespace: str
    name: str
    uid: str
    owner: str
    role: str
    task: str | None = None
    clearing: int | None = None
    ended_at: datetime | None = None
    failed: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a clearing said at its end; `orphans` are those that nobody needs and that it did not remove."""

    removed: int
    left: int
    failed: int
    orphans: int = 0


def read_job(body: Mapping[str, Any]) -> JobSeen | None:
    """The Job; None if it is none of the operator's."""
    meta, status = body["metadata"], body.get("status") or {}
    labels = meta.get("labels") or {}
    owner = next((item["uid"] for item in meta.get("ownerReferences") or () if item.get("controller")), None)
    if ROLE_LABEL not in labels or owner is None:
        return None
    end = next((item for item in status.get("conditions") or () if _ends(item)), None)
    failed = end is not None and end["type"] == "Failed"
    return JobSeen(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        owner=owner,
        role=labels[ROLE_LABEL],
        task=labels.get(TASK_LABEL),
        clearing=_number(labels.get(CLEARING_LABEL)),
        ended_at=datetime.fromisoformat(end["lastTransitionTime"]) if end is not None else None,
        failed=failed,
        message=_words(end) if failed and end is not None else "",
    )


def read_cleared(words: str) -> Cleared | None:
    """What a clearing left as its last words; None if that can't be read."""
    try:
        said = json.loads(words)
        return Cleared(*(max(0, int(said.get(key, 0))) for key in ("removed", "left", "failed", "orphans")))
    except (ValueError, TypeError, KeyError):
        return None


def _number(label: str | None) -> int | None:
    """A label is anybody's text until it is read."""
    return int(label) if label is not None and label.isascii() and label.isdigit() else None


def _ends(condition: Mapping[str, Any]) -> bool:
    return condition["status"] == "True" and condition["type"] in ("Complete", "Failed")


def _words(condition: Mapping[str, Any]) -> str:
    parts = (condition.get("reason"), condition.get("message"))
    return ": ".join(str(part) for part in parts if part)[:MESSAGE]
