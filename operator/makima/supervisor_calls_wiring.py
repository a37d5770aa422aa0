"""What supervisors call of an API process, put together (flag `supervisor_heartbeat`)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from makima.adapters.kubernetes.carried import KubernetesCarried
from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.events import KubernetesEvents
from makima.adapters.kubernetes.token_review import KubernetesTokenReviews
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.adapters.validators import GateValidators
from makima.api_process import Process
from makima.errors import MakimaError
from makima.http.stream import Streams
from makima.http.use_cases import SupervisorCalls
from makima.models.supervision import Beat
from makima.ports import Clock
from makima.services.access.authentication import Authentication
from makima.services.access.authorization import Authorization
from makima.services.ingest.coverage import Coverage
from makima.services.ingest.current_state import CurrentState
from makima.services.ingest.group_commit import Ingest, Limits
from makima.services.ingest.heartbeats import Heartbeats
from makima.services.monitor.monitor import Monitor
from makima.services.reads.supervisor_reads import SupervisorReads
from makima.services.supervisor_calls.carried_work import CarriedWork
from makima.services.supervisor_calls.command_delivery import CommandDelivery
from makima.services.supervisor_calls.contract_reports import ContractReports
from makima.services.supervisor_calls.memory import Memory
from makima.services.supervisor_calls.report_writes import Around
from makima.services.supervisor_calls.sessions import Sessions, Stores

PARTITION_SECONDS = 300.0
"""How often the hours ahead are seen to; they are made two ahead, so that missing some looks costs nothing."""

log = logging.getLogger(__name__)


async def start_supervisor_calls(
    process: Process,
    connection: Connection,
    store: PostgresSupervision,
    rights: Authorization,
    monitor: Monitor | None,
) -> SupervisorCalls:
    """What supervisors call, taking calls; `monitor` is told of heartbeats that were stored."""
    options, clock, sessions = process.config.api, process.clock, rights.sessions
    await store.open()
    process.ends.push_async_callback(store.close)
    authentication = Authentication(KubernetesTokenReviews(connection, options.audience))
    commands = CommandDelivery(store.commands, clock, most_polls=options.long_polls)
    taking = _ingest(process, store)
    heartbeats = Heartbeats(taking, rights, commands, clock)
    streams = Streams(heartbeats, authentication, commands, clock, most=options.streams)
    process.metrics.count_streams(lambda: streams.open)
    work = CarriedWork(KubernetesCarried(connection), process.config.heartbeat_times())
    await _begin(process, store, taking, partial(_can_verify, authentication, rights), monitor)
    for part in (sessions, commands):
        part.start()
        process.ends.push_async_callback(part.stop)
    return SupervisorCalls(
        authentication=authentication,
        rights=rights,
        heartbeats=heartbeats,
        streams=streams,
        sessions=_sessions(process, store, work, rights, commands),
        memory=Memory(store.memory, rights, clock),
        reports=ContractReports(store.work, work, rights, _around(process, connection)),
        commands=commands,
        reads=SupervisorReads(store.heartbeats, store.commands, work, rights, clock),
    )


def _ingest(process: Process, store: PostgresSupervision) -> Ingest:
    """Heartbeats on their way into Postgres, as many as the configuration lets wait."""
    options = process.config.api
    limits = Limits(options.buffer_heartbeats, options.buffer_megabytes * 1024 * 1024)
    return Ingest(store.heartbeats, process.metrics, process.clock, limits)


def _sessions(
    process: Process, store: PostgresSupervision, work: CarriedWork, rights: Authorization, commands: CommandDelivery
) -> Sessions:
    stores = Stores(store.registry, store.heartbeats, store.memory)
    return Sessions(stores, work, rights, commands, process.clock, on_restored=process.metrics.restored)


async def _begin(
    process: Process,
    store: PostgresSupervision,
    taking: Ingest,
    can_verify: Callable[[], Awaitable[None]],
    monitor: Monitor | None,
) -> None:
    """Writers and timers. Coverage ends first: what is taken after it need not be covered."""
    rows = CurrentState(store.heartbeats)
    taking.tell(_stored_by(rows, monitor))
    coverage = Coverage(store.coverage, taking, can_verify, process.clock, process.identity)
    partitions = asyncio.create_task(_keep_partitions(store, process.clock))
    process.ends.callback(partitions.cancel)
    for part in (rows, taking, coverage):
        part.start()
        process.ends.push_async_callback(part.stop)


def _stored_by(rows: CurrentState, monitor: Monitor | None) -> Callable[[Sequence[Beat]], None]:
    """Who hears of heartbeats that were stored: the rows, and those who watch."""
    if monitor is None:
        return rows.note

    def stored(beats: Sequence[Beat]) -> None:
        rows.note(beats)
        monitor.heartbeats.note(beats)

    return stored


def _around(process: Process, connection: Connection) -> Around:
    events, validators = KubernetesEvents(connection, process.identity), GateValidators(connection)
    events.start()
    process.ends.push_async_callback(events.close)
    process.ends.push_async_callback(validators.close)
    return Around(process.config.decisions(), validators, events, process.clock, process.metrics.moved)


async def _keep_partitions(store: PostgresSupervision, clock: Clock) -> None:
    while True:
        wait = PARTITION_SECONDS
        try:
            await store.heartbeats.keep_partitions(clock.now())
        except MakimaError as error:
            log.info("partitions of heartbeats wait: %s", error.message)
            wait = 5.0
        except Exception:
            log.exception("partitions of heartbeats could not be seen to")
        await asyncio.sleep(wait)


async def _can_verify(authentication: Authentication, rights: Authorization) -> None:
    """Callers can be told apart, and could be since the last time."""
    await authentication.check()
    rights.rbac.check()
