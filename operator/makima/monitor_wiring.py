"""The live monitor of an API process, put together (flag `monitoring_dashboard`)."""

from __future__ import annotations

from contextlib import AsyncExitStack

from prometheus_client import CollectorRegistry

from makima.adapters.postgres.database import Database, Limits
from makima.adapters.postgres.event_stream import PostgresEventStream
from makima.adapters.prometheus_monitor import MonitorMetrics
from makima.config import Config
from makima.ports import Clock
from makima.services.access.visibility import Visibility
from makima.services.monitor.monitor import Monitor

CONNECTIONS = 3
"""Of its own: neither people who read long lists nor heartbeats hold up what happens, and the other way round."""


async def start_monitor(
    ends: AsyncExitStack,
    config: Config,
    visibility: Visibility,
    registry: CollectorRegistry,
    clock: Clock,
) -> Monitor | None:
    """The monitor, reading; None with the flag off: then nothing is read and nothing waits."""
    if not config.feature_flags.monitoring_dashboard:
        return None
    limits = Limits(connections=CONNECTIONS)
    database = Database(config.required_database_url(), limits, application_name="makima-api-monitor")
    await database.open()
    ends.push_async_callback(database.close)
    store = PostgresEventStream(database)
    await store.open()
    ends.push_async_callback(store.close)
    metrics = MonitorMetrics(registry)
    monitor = Monitor(
        store,
        visibility,
        metrics,
        clock,
        most=config.api.monitor_clients,
        enhanced=config.feature_flags.enhanced_contract_status,
    )
    metrics.count(monitor)
    monitor.start()
    ends.push_async_callback(monitor.stop)
    return monitor
