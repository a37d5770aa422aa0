"""What is seen of a supervisor's pods, as values; and what a pod of a certain life is called."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

NAME = 63
"""Characters of a pod's name: it is also a label value and a host name."""


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod of a supervisor.

    Attributes:
        incarnation: the life that it was made for.
        started_at: when its first container began to run; None = it is still pending.
        finished: all of its containers have ended, or it never ran and never will.
        exit_code: of the first container; None = it runs, or nobody knows (evicted, node lost).
        ended_at: when it finished, where that is known.
        gone_by: it is being deleted, and its grace is over then (metadata.deletionTimestamp); None = it is not.
        disrupted: it was evicted, preempted or drained (condition DisruptionTarget): no fault of its own.
        reason: one line on why it ended, where Kubernetes says it (OOMKilled, Evicted, ...).
    """

    name: str
    uid: str
    incarnation: int
    started_at: datetime | None = None
    finished: bool = False
    exit_code: int | None = None
    ended_at: datetime | None = None
    gone_by: datetime | None = None
    disrupted: bool = False
    reason: str = ""


def pod_name(contract: str, incarnation: int) -> str:
    """`<contract>-<incarnation>`: the API server lets nobody make a second pod for the same life.

    A name that would be too long is cut, and a hash of the whole keeps it apart from others that begin alike.
    """
    full = f"{contract}-{incarnation}"
    if len(full) <= NAME and "." not in contract:
        return full
    tail = f"-{hashlib.sha256(contract.encode()).hexdigest()[:8]}-{incarnation}"
    return contract.replace(".", "-")[: NAME - len(tail)].rstrip("-") + tail
