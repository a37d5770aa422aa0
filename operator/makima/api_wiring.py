"""The API service, put together: the other place where adapters, use cases and configuration meet (see `wiring`)."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import uvloop
from prometheus_client import CollectorRegistry

from makima.adapters.kubernetes.access_review import KubernetesAccessReviews
from makima.adapters.kubernetes.as_caller import KubernetesAsCaller
from makima.adapters.kubernetes.carried import KubernetesCarried
from makima.adapters.kubernetes.connection import Connection, load_configuration
from makima.adapters.kubernetes.contracts import KubernetesCluster
from makima.adapters.kubernetes.events import KubernetesEvents
from makima.adapters.kubernetes.token_review import KubernetesTokenReviews
from makima.adapters.logging_setup import configure_logging
from makima.adapters.postgres.batch import PostgresBatch
from makima.adapters.postgres.contract_lists import PostgresContractLists
from makima.adapters.postgres.dashboard import PostgresDashboard
from makima.adapters.postgres.database import Database, Limits
from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.adapters.probes import ProbeServer
from makima.adapters.prometheus_api import ApiMetrics
from makima.adapters.this_process import SystemClock, identity
from makima.adapters.validators import GateValidators
from makima.aggregated_wiring import AggregatedApi, aggregated_api
from makima.config import Config
from makima.errors import MakimaError
from makima.http.app import application
from makima.http.server import Server, listener, serve, server
from makima.http.stream import Streams
from makima.http.use_cases import ContractCalls, SupervisorCalls, UseCases
from makima.models.supervision import Beat
from makima.monitor_wiring import start_monitor
from makima.services.access.authorization import Authorization
from makima.services.access.contract_lookup import ContractLookup
from makima.services.access.identity import Authentication
from makima.services.access.session_cache import SessionCache
from makima.services.access.visibility import Visibility
from makima.services.ingest.coverage import Coverage
from makima.services.ingest.current_state import CurrentState
from makima.services.ingest.group_commit import Ingest
from makima.services.ingest.group_commit import Limits as IngestLimits
from makima.services.ingest.heartbeats import Heartbeats
from makima.services.monitor.monitor import Monitor
from makima.services.reads.contract_export import ContractExports
from makima.services.reads.contract_lists import ContractLists
from makima.services.reads.contract_reads import ContractReads
from makima.services.reads.dashboard import Dashboards
from makima.services.reads.readiness import ReadinessChecks
from makima.services.reads.supervisor_reads import SupervisorReads
from makima.services.supervisor_calls.carried_work import CarriedWork
from makima.services.supervisor_calls.command_delivery import CommandDelivery
from makima.services.supervisor_calls.contract_reports import Around, ContractReports
from makima.services.supervisor_calls.memory import Memory
from makima.services.supervisor_calls.sessions import Sessions, Stores
from makima.services.wishes.batch import BatchOperations
from makima.services.wishes.batch_run import BatchPorts
from makima.services.wishes.contract_wishes import ContractWishes
from makima.services.wishes.hand import Hand
from makima.services.wishes.phase_moves import PhaseMoves
from makima.services.wishes.settling import Settling
from makima.services.wishes.supervisor_restart import SupervisorRestarts

PARTITION_SECONDS = 300.0
"""How often the hours ahead are seen to; they are made two ahead, so that missing some looks costs nothing."""

COLLECTIONS = (100_000, 50, 100)
"""Thresholds of Python's collector. Every heartbeat makes objects that its count frees; with the usual thresholds
a fifth of the time went into looking for cycles (docs/benchmarks.md)."""

log = logging.getLogger(__name__)


class ApiProcess:
    """Everything of `makima api`: built at once, started in order, stopped in the opposite one."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.identity = identity()
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
        configuration = await load_configuration(self.config.kubeconfig, self.config.context)
        connection = Connection(configuration, "makima-api")
        ends.push_async_callback(connection.close)
        store, history = await self._supervision(ends), await self._history(ends)
        sessions = SessionCache(store.registry)
        rights = Authorization(KubernetesAccessReviews(connection), sessions)
        visibility = Visibility(rights, history.namespaces)
        monitor = self._monitor = await start_monitor(ends, self.config, visibility, self.metrics.registry, self.clock)
        supervision = None
        if self.config.feature_flags.supervisor_heartbeat:
            supervision = await self._supervisor_calls(ends, connection, store, rights)
        lookup = ContractLookup(KubernetesCluster(connection), history, rights)
        visibility, hands = Visibility(rights, history.namespaces), KubernetesAsCaller(configuration)
        ends.push_async_callback(hands.close)
        return UseCases(
            settings=self.config.decisions(),
            clock=self.clock,
            people=Authentication(KubernetesTokenReviews(connection, self.config.api.audience, people=True)),
            rights=rights,
            visibility=visibility,
            history=history,
            lookup=lookup,
            contracts=await self._contract_calls(
                ends,
                connection,
                hand=Hand(hands),
                lookup=lookup,
                visibility=visibility,
                history=history,
                memory=supervision.memory if supervision is not None else None,
            ),
            supervision=supervision,
            dashboards=self._dashboards(history, visibility),
            batch=self._batch(KubernetesCluster(connection), hands, history, visibility),
            monitor=monitor,
            allowed_origins=self.config.api.allowed_origins,
        )

    async def _contract_calls(
        self,
        ends: AsyncExitStack,
        connection: Connection,
        *,
        hand: Hand,
        lookup: ContractLookup,
        visibility: Visibility,
        history: PostgresHistory,
        memory: Memory | None,
    ) -> ContractCalls:
        settings, validators = self.config.decisions(), GateValidators(connection)
        reads = ContractReads(history, settings, self.clock)
        ends.push_async_callback(validators.close)
        checks = ReadinessChecks(validators, settings, self.clock)
        settling = Settling(KubernetesCluster(connection))
        return ContractCalls(
            lists=ContractLists(PostgresContractLists(history.database), visibility, settings, self.clock),
            reads=reads,
            exports=ContractExports(reads, memory, self.clock),
            checks=checks,
            wishes=ContractWishes(hand, settling, lookup, checks),
            moves=PhaseMoves(checks, lookup, hand, settling),
            restarts=SupervisorRestarts(hand, settling),
        )

    def _batch(
        self, cluster: KubernetesCluster, hands: KubernetesAsCaller, history: PostgresHistory, visibility: Visibility
    ) -> BatchOperations | None:
        settings = self.config.decisions()
        if not settings.monitoring:
            return None
        ports = BatchPorts(PostgresBatch(history.database), cluster, hands, self.metrics, self.clock)
        return BatchOperations(ports, visibility, settings)

    def _dashboards(self, history: PostgresHistory, visibility: Visibility) -> Dashboards | None:
        settings = self.config.decisions()
        if not settings.monitoring:
            return None
        timeout = timedelta(seconds=self.config.contracts.heartbeat_timeout_seconds)
        return Dashboards(PostgresDashboard(history.database), visibility, self.clock, settings, timeout)

    async def _supervisor_calls(
        self, ends: AsyncExitStack, connection: Connection, store: PostgresSupervision, rights: Authorization
    ) -> SupervisorCalls:
        options, clock, sessions = self.config.api, self.clock, rights.sessions
        await store.open()
        ends.push_async_callback(store.close)
        authentication = Authentication(KubernetesTokenReviews(connection, options.audience))
        commands = CommandDelivery(store.commands, clock, most_polls=options.long_polls)
        limits = IngestLimits(options.buffer_heartbeats, options.buffer_megabytes * 1024 * 1024)
        taking = Ingest(store.heartbeats, self.metrics, clock, limits)
        heartbeats = Heartbeats(taking, rights, commands, clock)
        streams = Streams(heartbeats, authentication, commands, clock, most=options.streams)
        self.metrics.count_streams(lambda: streams.open)
        work = CarriedWork(KubernetesCarried(connection))
        await self._begin(ends, store, taking, partial(_can_verify, authentication, rights))
        for part in (sessions, commands):
            part.start()
            ends.push_async_callback(part.stop)
        return SupervisorCalls(
            authentication=authentication,
            rights=rights,
            heartbeats=heartbeats,
            streams=streams,
            sessions=Sessions(
                Stores(store.registry, store.heartbeats, store.memory),
                work,
                rights,
                commands,
                clock,
                on_restored=self.metrics.restored,
            ),
            memory=Memory(store.memory, rights, clock),
            reports=ContractReports(store.work, work, rights, await self._around(ends, connection)),
            commands=commands,
            reads=SupervisorReads(store.heartbeats, store.commands, work, rights, clock),
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

    async def _begin(
        self,
        ends: AsyncExitStack,
        store: PostgresSupervision,
        taking: Ingest,
        can_verify: Callable[[], Awaitable[None]],
    ) -> None:
        """Writers and timers. Coverage ends first: what is taken after it need not be covered."""
        rows = CurrentState(store.heartbeats)
        taking.on_stored = self._stored_by(rows)
        coverage = Coverage(store.coverage, taking, can_verify, self.clock, self.identity)
        partitions = asyncio.create_task(self._keep_partitions(store))
        ends.callback(partitions.cancel)
        for part in (rows, taking, coverage):
            part.start()
            ends.push_async_callback(part.stop)

    def _stored_by(self, rows: CurrentState) -> Callable[[Sequence[Beat]], None]:
        """Who hears of heartbeats that were stored: the rows, and those who watch."""
        watching = self._monitor
        if watching is None:
            return rows.note

        def stored(beats: Sequence[Beat]) -> None:
            rows.note(beats)
            watching.heartbeats.note(beats)

        return stored

    async def _around(self, ends: AsyncExitStack, connection: Connection) -> Around:
        events, validators = KubernetesEvents(connection, self.identity), GateValidators(connection)
        events.start()
        ends.push_async_callback(events.close)
        ends.push_async_callback(validators.close)
        return Around(self.config.decisions(), validators, events, self.clock, self.metrics.moved)

    async def _keep_partitions(self, store: PostgresSupervision) -> None:
        while True:
            wait = PARTITION_SECONDS
            try:
                await store.heartbeats.keep_partitions(self.clock.now())
            except MakimaError as error:
                log.info("partitions of heartbeats wait: %s", error.message)
                wait = 5.0
            except Exception:
                log.exception("partitions of heartbeats could not be seen to")
            await asyncio.sleep(wait)


async def _can_verify(authentication: Authentication, rights: Authorization) -> None:
    """Callers can be told apart, and could be since the last time."""
    await authentication.check()
    rights.check()


def run_api(config: Config) -> None:
    """Run the API service until it is told to stop.

    Raises:
        MakimaError: it could not start.
    """
    configure_logging(config.api.log_format, config.api.log_level)
    gc.set_threshold(*COLLECTIONS)
    try:
        uvloop.run(ApiProcess(config).run())
    except OSError as error:
        raise MakimaError(f"the API service could not start: {error}", "look at [api] in the configuration") from error
