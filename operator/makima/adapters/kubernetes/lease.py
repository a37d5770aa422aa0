"""Leader election by a Lease of our own: the calls and the waiting. The decision is `makima.domain.leadership`."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from makima.adapters.kubernetes.connection import Connection
from makima.domain.leadership import Acquire, LeaseRecord, Observation, Renew, Wait, decide_lease, observe
from makima.errors import ClusterError, Conflict, Denied, NotFound

RETRY_PERIOD = 2 / 15
"""Share of the duration between renewals (as client-go: 2 s of 15)."""

RENEW_DEADLINE = 2 / 3
"""Share of the duration without a renewal after which the leader gives up (as client-go: 10 s of 15)."""

POLL_PERIOD = 1 / 15
"""Share of the duration between a standby's looks: each costs one GET, and the last one is time nobody leads."""

log = logging.getLogger(__name__)


class Lease:
    """One process's side of the election.

    The holder renews often and gives up after two thirds of the duration without success, so that it has stopped before
    anybody else may start.
    """

    def __init__(self, connection: Connection, namespace: str, name: str, identity: str, duration: float) -> None:
        self._connection, self._namespace, self._name = connection, namespace, name
        self.identity, self.duration = identity, duration
        self._seen: Observation | None = None
        self._version: str | None = None
        self.leading = False
        self.last_poll: float | None = None

    @property
    def path(self) -> str:
        """Path of the Lease."""
        return f"/apis/coordination.k8s.io/v1/namespaces/{self._namespace}/leases/{self._name}"

    async def acquire(self) -> None:
        """Poll until this process leads.

        Raises:
            Denied: the account may not read or write Leases; waiting would not help.
        """
        told = ""
        while not await self._try():
            holder = self._seen.record.holder if self._seen is not None else ""
            if holder != told:
                log.info("standing by: %s leads", holder or "nobody yet")
                told = holder
            jitter = random.uniform(0.8, 1.2)  # noqa: S311  # not a secret
            await asyncio.sleep(self.duration * POLL_PERIOD * jitter)
        self.leading = True
        log.info("leading as %s", self.identity)

    async def hold(self, on_lost: Callable[[str], None]) -> None:
        """Renew until cancelled; call `on_lost` once if that no longer works."""
        deadline = time.monotonic() + self.duration * RENEW_DEADLINE
        while True:
            await asyncio.sleep(self.duration * RETRY_PERIOD)
            # A lost packet must not cost the whole time that is left: an attempt gets half of it at most.
            if await self._renew(max(0.1, (deadline - time.monotonic()) / 2)):
                deadline = time.monotonic() + self.duration * RENEW_DEADLINE
            elif self._taken() or time.monotonic() >= deadline:
                self.leading = False
                return on_lost("another process leads" if self._taken() else "the lease could not be renewed in time")

    async def _renew(self, seconds: float) -> bool:
        """One attempt: a write over what was written last, and a look only if somebody wrote in between."""
        try:
            async with asyncio.timeout(seconds):
                await self._write(self.identity, self._transitions())
        except (Conflict, NotFound):
            return await self._look_and_renew(seconds)
        except (ClusterError, TimeoutError) as error:
            log.warning("the lease could not be renewed: %s", str(error) or f"no answer within {seconds:.1f} s")
            return False
        self.last_poll = time.monotonic()
        return True

    async def _look_and_renew(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._try()
        except (ClusterError, TimeoutError) as error:
            log.warning("the lease could not be renewed: %s", str(error) or f"no answer within {seconds:.1f} s")
            return False

    async def release(self) -> None:
        """Give the Lease up, so that a standby takes over at once. Failing is fine: it runs out."""
        if not self.leading:
            return
        self.leading = False
        try:
            await self._write("", self._transitions())
        except ClusterError as error:
            log.info("the lease was not given up, it runs out: %s", error)

    def _taken(self) -> bool:
        return self._seen is not None and self._seen.record.holder not in ("", self.identity)

    def _transitions(self) -> int:
        return self._seen.record.transitions if self._seen is not None else 0

    async def _try(self) -> bool:
        """One look and, where it is ours to write, one write; whether this process leads after it."""
        try:
            await self._look()
            self.last_poll = time.monotonic()
            decision = decide_lease(self._seen, self.identity, time.monotonic())
            match decision:
                case Wait():
                    return False
                case Acquire():
                    await self._write(self.identity, self._transitions() + (1 if self._seen is not None else 0))
                case Renew():
                    await self._write(self.identity, self._transitions())
        except Conflict:
            return False
        except Denied:
            raise
        except ClusterError as error:
            if self.leading:
                raise
            log.warning("the lease can't be looked at: %s", error)
            return False
        return True

    async def _look(self) -> None:
        try:
            body = await self._connection.request("GET", self.path)
        except NotFound:
            self._seen, self._version = None, None
            return
        self._version = body["metadata"]["resourceVersion"]
        self._seen = observe(self._seen, _record(body), time.monotonic())

    async def _write(self, holder: str, transitions: int) -> None:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        metadata: dict[str, Any] = {"name": self._name, "namespace": self._namespace}
        spec = {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, round(self.duration)),
            "renewTime": now,
            "leaseTransitions": transitions,
        }
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        if self._version is None:
            stored = await self._connection.request("POST", self.path.rpartition("/")[0], body=body)
        else:
            metadata["resourceVersion"] = self._version
            stored = await self._connection.request("PUT", self.path, body=body)
        self._version = stored["metadata"]["resourceVersion"]
        self._seen = observe(self._seen, _record(stored), time.monotonic())


def _record(body: dict[str, Any]) -> LeaseRecord:
    spec = body.get("spec") or {}
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        renewed=spec.get("renewTime") or "",
        duration=float(spec.get("leaseDurationSeconds") or 15),
        transitions=int(spec.get("leaseTransitions") or 0),
    )
