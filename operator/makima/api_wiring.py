"""The API service as a process: what it serves, and how it starts and ends (the operator's is `makima.wiring`)."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack

import uvloop
from prometheus_client import CollectorRegistry

from makima.adapters.kubernetes.access_review import KubernetesAccessReviews
from makima.adapters.kubernetes.as_caller import KubernetesAsCaller
from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import KubernetesCluster
from makima.adapters.kubernetes.token_review import KubernetesTokenReviews
from makima.adapters.logging_setup import configure_logging
from makima.adapters.postgres.database import Database, Limits
from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.adapters.probes import ProbeServer
from makima.adapters.prometheus_api import ApiMetrics
from makima.adapters.this_process import SystemClock, collect_seldom, identity
from makima.aggregated_wiring import AggregatedApi, aggregated_api
from makima.api_process import Process
from makima.config import Config
from makima.errors import MakimaError
from makima.http.app import application
from makima.http.server import Server, listener, serve, server
from makima.http.use_cases import UseCases
from makima.monitor_wiring import start_monitor
from makima.people_wiring import batch_operations, contract_calls, dashboards
from makima.services.access.authentication import Authentication
from makima.services.access.authorization import Authorization
from makima.services.access.contract_lookup import ContractLookup
from makima.services.access.known_namespaces import KnownNamespaces
from makima.services.access.rbac import Rbac
from makima.services.access.session_cache import SessionCache
from makima.services.access.visibility import Visibility
from makima.services.monitor.monitor import Monitor
from makima.services.wishes.hand import Hand
from makima.supervisor_calls_wiring import start_supervisor_calls

log = logging.getLogger(__name__)


class ApiProcess:
    """Everything of `makima api`: built at once, started in order, stopped in the opposite one."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = SystemClock()
        self.metrics = ApiMetrics(CollectorRegistry())
        self.ready = False
        self._aggregated: AggregatedApi | None = None
        self._monitor: Monitor | None = None
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            MakimaError: no cluster, no database configured.
            OSError: a port is taken.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        async with AsyncExitStack() as ends:
            probes = ProbeServer({}, {"serving": self._serving}, self.metrics.render)
            ends.push_async_callback(probes.stop)
            await self._serve(ends, probes, await self._use_cases(ends))

    async def _serve(self, ends: AsyncExitStack, probes: ProbeServer, use: UseCases) -> None:
        options = self.config.api
        sock = listener(options.bind_address, options.port)
        ends.callback(sock.close)
        app = application(use, calls=options.calls)
        self._aggregated = await aggregated_api(self.config, app)
        if self._aggregated is not None:
            ends.push_async_callback(self._aggregated.stop)
            self._aggregated.start()
        health, metrics = await probes.start(options.bind_address, options.health_port, options.metrics_port)
        self._tell_ports(sock.getsockname()[1], health, metrics)
        found = server(app, options.tls_certificate, options.tls_key)
        serving = asyncio.create_task(serve(found, sock))
        self.ready = True
        await self._until_stopped(found, serving)

    async def _until_stopped(self, found: Server, serving: asyncio.Task[None]) -> None:
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait((stop, serving), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        log.info("the API service ends: calls under way are finished, heartbeats that wait are stored")
        self.ready = False
        if self._monitor is not None:
            await self._monitor.see_off()
        found.stop()
        if self._aggregated is not None:
            self._aggregated.end()
        await serving

    def _tell_ports(self, port: int, health: int, metrics: int) -> None:
        log.info("serving on port %d, probes on port %d, metrics on port %d", port, health, metrics)
        if self.config.api.ports_file is not None:
            aggregated = f"aggregated={self._aggregated.port}\n" if self._aggregated is not None else ""
            text = f"{aggregated}api={port}\nhealth={health}\nmetrics={metrics}\n"
            self.config.api.ports_file.write_text(text)

    def _serving(self) -> str | None:
        """Never by Postgres or the API server: without them a replica still answers, with 503 and a time."""
        return None if self.ready else "not serving (yet, or any more)"

    async def _use_cases(self, ends: AsyncExitStack) -> UseCases:
        process = Process(self.config, self.clock, self.metrics, identity(), ends)
        configuration = await load_configuration(self.config.kubeconfig, self.config.context)
        connection = Connection(configuration, "makima-api")
        ends.push_async_callback(connection.close)
        store, history = await self._supervision(ends), await self._history(ends)
        sessions = SessionCache(store.registry)
        rbac = Rbac(KubernetesAccessReviews(connection))
        rights = Authorization(rbac, sessions)
        visibility = Visibility(rbac, history.namespaces)
        monitor = self._monitor = await start_monitor(ends, self.config, visibility, self.metrics.registry, self.clock)
        supervision = None
        if self.config.feature_flags.supervisor_heartbeat:
            supervision = await start_supervisor_calls(process, connection, store, rights, monitor)
        lookup = ContractLookup(KubernetesCluster(connection), history, rbac)
        hands = KubernetesAsCaller(configuration)
        ends.push_async_callback(hands.close)
        return UseCases(
            settings=self.config.decisions(),
            clock=self.clock,
            people=Authentication(KubernetesTokenReviews(connection, self.config.api.audience, people=True)),
            rights=rights,
            visibility=visibility,
            history=history,
            lookup=lookup,
            contracts=contract_calls(
                process,
                connection,
                hand=Hand(hands, lookup),
                lookup=lookup,
                visibility=visibility,
                history=history,
                memory=supervision.memory if supervision is not None else None,
            ),
            supervision=supervision,
            dashboards=dashboards(process, history, Visibility(rbac, KnownNamespaces(history.namespaces).get)),
            batch=batch_operations(process, KubernetesCluster(connection), hands, history, visibility),
            monitor=monitor,
            allowed_origins=self.config.api.allowed_origins,
        )

    async def _supervision(self, ends: AsyncExitStack) -> PostgresSupervision:
        limits = Limits(connections=self.config.api.database_connections)
        database = Database(self.config.required_database_url(), limits, application_name="makima-api")
        await database.open()
        ends.push_async_callback(database.close)
        return PostgresSupervision(database)

    async def _history(self, ends: AsyncExitStack) -> PostgresHistory:
        """Connections of its own: people who read long lists do not hold up heartbeats."""
        limits = Limits(connections=self.config.api.reading_connections)
        history = PostgresHistory(self.config.required_database_url(), limits, application_name="makima-api-reads")
        await history.open()
        ends.push_async_callback(history.close)
        return history


def run_api(config: Config) -> None:
    """Run the API service until it is told to stop.

    Raises:
        MakimaError: it could not start.
    """
    configure_logging(config.api.log_format, config.api.log_level)
    collect_seldom()
    try:
        uvloop.run(ApiProcess(config).run())
    except OSError as error:
        raise MakimaError(f"the API service could not start: {error}", "look at [api] in the configuration") from error
