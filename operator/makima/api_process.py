"""What every part of an API process gets."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from makima.adapters.prometheus_api import ApiMetrics
from makima.config import Config
from makima.ports import Clock


@dataclass(frozen=True, slots=True)
class Process:
    """One API process.

    Attributes:
        identity: names this process among its replicas.
        ends: what is closed when the process ends, the last opened first.
    """

    config: Config
    clock: Clock
    metrics: ApiMetrics
    identity: str
    ends: AsyncExitStack
