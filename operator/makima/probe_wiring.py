"""What the operator's probes look at: is it healthy, is it ready?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from makima.adapters.kubernetes.lease import Lease
from makima.adapters.kubernetes.watch_probe import WatchProbe
from makima.adapters.probes import ProbeServer
from makima.config_sections import OperatorSection
from makima.domain.leadership import deaf_for

log = logging.getLogger(__name__)


class OperatorProbes:
    """/healthz, /readyz and /metrics of an operator.

    Attributes:
        leading_since: time of the loop at which it began to lead; None = it is a standby.
    """

    def __init__(self, lease: Lease, watch: WatchProbe, metrics: Callable[[], bytes]) -> None:
        self._lease, self._watch = lease, watch
        self.leading_since: float | None = None
        self._server = ProbeServer(
            healthz={"lease": self._lease_check, "watch": self._watch_check},
            readyz={"leader": self._ready_check},
            metrics=metrics,
        )

    async def serve(self, options: OperatorSection) -> None:
        """Listen, and write the ports down where that is asked for."""
        health, metrics = await self._server.start(options.bind_address, options.health_port, options.metrics_port)
        log.info("probes on port %d, metrics on port %d", health, metrics)
        if options.ports_file is not None:
            options.ports_file.write_text(f"health={health}\nmetrics={metrics}\n")

    async def stop(self) -> None:
        """Listen no more."""
        await self._server.stop()

    def _lease_check(self) -> str | None:
        """A standby is healthy while it polls the Lease, a leader while it renews it."""
        polled = self._lease.last_poll
        limit = self._lease.duration * 2
        age = None if polled is None else asyncio.get_running_loop().time() - polled
        return f"the lease was last seen {age:.0f} s ago" if age is not None and age > limit else None

    def _watch_check(self) -> str | None:
        """A leader's own renewals have to come back over a watch."""
        since = self.leading_since
        leading = asyncio.get_running_loop().time() - since if since is not None else None
        silent = deaf_for(leading, self._watch.age(), max(30.0, self._lease.duration * 3))
        return f"no watch event for {silent:.0f} s" if silent is not None else None

    def _ready_check(self) -> str | None:
        reached = self._lease.last_poll is not None or self._lease.leading
        return None if reached else "the API server was not reached yet"
