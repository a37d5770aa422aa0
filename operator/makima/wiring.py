"""The operator's process, put together: adapters meet use cases here, and in the other modules named `…_wiring`."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from makima.adapters.kubernetes.apply import apply_manifests, wait_enforced
from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import KubernetesCluster
from makima.adapters.kubernetes.events import KubernetesEvents
from makima.adapters.kubernetes.lease import Lease
from makima.adapters.kubernetes.schema_check import check_schema
from makima.adapters.kubernetes.watch_probe import WatchProbe
from makima.adapters.logging_setup import configure_logging
from makima.adapters.postgres.backfill import run_backfills
from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.adapters.prometheus import PrometheusMetrics
from makima.adapters.this_process import SystemClock, collect_seldom, identity
from makima.adapters.validators import GateValidators
from makima.config import Config
from makima.errors import ClusterUnavailable, MakimaError
from makima.probe_wiring import OperatorProbes
from makima.schema import SCHEMA_VERSION, render
from makima.schema.needed import needed_objects
from makima.services.reconcile.operator import ContractOperator
from makima.services.reconcile.reconciler import Ports
from makima.supervision_wiring import Supervision

FRESH = 1.0
"""Seconds for which a look at the cluster's CRDs and policies holds: who need not wait for the lease looks once."""

LOST_LEADERSHIP = 75
"""Exit code of an operator that lost its Lease: EX_TEMPFAIL, start it again."""

log = logging.getLogger(__name__)


class OperatorProcess:
    """Everything of `makima operator` but kopf: built at once, working once it leads."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.identity = identity()
        self.failure: MakimaError | None = None
        self.operator: ContractOperator
        self.supervision: Supervision | None = None
        self.lease: Lease
        self.probe: WatchProbe
        self._tasks: list[asyncio.Task[None]] = []

    async def lead(self) -> None:
        """Connect, wait for leadership, and start working.

        Raises:
            MakimaError: no cluster, no database configured, CRDs or policies too old.
        """
        collect_seldom()
        configuration = await load_configuration(self.config.kubeconfig, self.config.context)
        self.connection = Connection(configuration, "makima-operator")
        self._build()
        await self.probes.serve(self.config.operator)
        await self.history.open()
        await self._check_cluster()
        checked = asyncio.get_running_loop().time()
        await self.lease.acquire()
        if asyncio.get_running_loop().time() - checked > FRESH:
            await self._check_cluster()  # a standby may wait for weeks, and older ones may have come back meanwhile
        if self.supervision is not None:
            await self.supervision.start()
        self._begin()

    def _build(self) -> None:
        options = self.config.operator
        lease = f"{options.lease_namespace}/{options.lease_name}"
        url = self.config.required_database_url()
        self.history = PostgresHistory(url, application_name="makima-operator", recorder=lease)
        self.registry = CollectorRegistry()
        self.metrics = PrometheusMetrics(self.registry)
        self.lease = Lease(
            self.connection, options.lease_namespace, options.lease_name, self.identity, options.lease_duration_seconds
        )
        self.metrics.leads(lambda: self.lease.leading)
        self.probe = WatchProbe(self.connection, self.lease.path, options.watch_inactivity_seconds)
        self.probes = OperatorProbes(self.lease, self.probe, self.metrics.render)
        self.events = KubernetesEvents(self.connection, self.identity)
        self.validators = GateValidators(self.connection)
        self.operator = self._build_operator()
        self.events.contracts_wait = self.operator.queue.waiting
        if self.config.feature_flags.supervisor_heartbeat:
            self.supervision = self._build_supervision()

    async def _check_cluster(self) -> None:
        """CRDs and policies have to be new enough; an API server that is away is waited for."""
        while True:
            try:
                return await check_schema(self.connection, needed_objects(), SCHEMA_VERSION)
            except ClusterUnavailable as error:
                log.warning("waiting for the API server: %s", error)
                await asyncio.sleep(2)

    def _build_operator(self) -> ContractOperator:
        cluster = KubernetesCluster(self.connection, self.config.operator.namespaces)
        ports = Ports(cluster, self.events, self.validators, self.metrics, SystemClock())
        resync = timedelta(seconds=self.config.operator.resync_seconds)
        return ContractOperator(ports, self.history, self.config.decisions(), resync)

    def _build_supervision(self) -> Supervision:
        postgres = PostgresSupervision(self.history.database)
        supervision = Supervision(self.config, self.connection, postgres, self.events, SystemClock())
        supervision.join(self.operator, self.registry)
        return supervision

    def _begin(self) -> None:
        self.probes.leading_since = asyncio.get_running_loop().time()
        self.events.start()
        self.operator.start()
        self._tasks = [
            asyncio.create_task(self.lease.hold(self._lost)),
            asyncio.create_task(self.probe.run()),
            asyncio.create_task(self._backfill()),
        ]

    def _lost(self, why: str) -> None:
        """Stop at once: a process that no longer leads must not write, and its memory is worth nothing."""
        log.error("leadership is lost (%s): exiting, to be started again", why)
        logging.shutdown()
        os._exit(LOST_LEADERSHIP)

    async def _backfill(self) -> None:
        while True:
            try:
                await run_backfills(self.history.database)
                return
            except MakimaError as error:
                log.info("backfills wait: %s", error)
                await asyncio.sleep(30)

    async def close(self) -> None:
        """Stop working, flush, give up the Lease."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.probes.leading_since is not None:
            await self.operator.stop()
            if self.supervision is not None:
                await self.supervision.stop()
            await self.events.close()
            await self._flush_history()
        await self.lease.release()
        await self.validators.close()
        await self.history.close()
        await self.probes.stop()
        await self.connection.close()

    async def _flush_history(self) -> None:
        try:
            async with asyncio.timeout(3):
                await self.operator.recorder.flush()
        except (MakimaError, TimeoutError) as error:
            log.info("the history is completed by the next leader: %s", error)


def configure_process_logging(config: Config) -> None:
    """Logs as configured: JSON lines, or for people at a terminal."""
    configure_logging(config.operator.log_format, config.operator.log_level)


@asynccontextmanager
async def open_history(config: Config) -> AsyncIterator[PostgresHistory]:
    """The history, for a command that reads it."""
    history = PostgresHistory(config.required_database_url(), application_name="makima-cli")
    await history.open()
    try:
        yield history
    finally:
        await history.close()


async def install(kubeconfig: Path | None = None, context: str | None = None) -> list[str]:
    """Put CRDs, policies and roles into a cluster, and wait until the policies are enforced.

    Returns:
        What was applied, as Kind/name.
    """
    async with Connection(await load_configuration(kubeconfig, context), "makima-install") as connection:
        done = await apply_manifests(connection, render())
        await wait_enforced(connection, "makima-system")
        return done
