"""Everything that Postgres keeps about supervisors: the stores of `makima.stores`, over one `Database`."""

from __future__ import annotations

from makima.adapters.postgres.commands import PostgresCommands
from makima.adapters.postgres.coverage import PostgresCoverage
from makima.adapters.postgres.database import Database
from makima.adapters.postgres.heartbeats import PostgresHeartbeats
from makima.adapters.postgres.notifications import Notifications
from makima.adapters.postgres.supervisor_memory import PostgresMemory
from makima.adapters.postgres.supervisor_registry import PostgresRegistry
from makima.adapters.postgres.supervisor_work import PostgresWork
from makima.stores import CommandStore, CoverageStore, HeartbeatStore, MemoryStore, SupervisorRegistry, WorkStore


class PostgresSupervision:
    """All stores. The database is its owner's to open and close; here only the listening connection is.

    Every method of every store raises `HistoryUnavailable` while Postgres is away, and waits no longer than
    `Limits.operation`; `keep_partitions` and reads of many lives wait as long for each of their parts.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.notifications = Notifications(database)
        self.registry: SupervisorRegistry = PostgresRegistry(database, self.notifications)
        self.heartbeats: HeartbeatStore = PostgresHeartbeats(database)
        self.memory: MemoryStore = PostgresMemory(database)
        self.work: WorkStore = PostgresWork(database)
        self.commands: CommandStore = PostgresCommands(database, self.notifications)
        self.coverage: CoverageStore = PostgresCoverage(database)

    async def open(self) -> None:
        """Start listening for `changes` and `announced`; returns at once, also when Postgres is away."""
        await self.notifications.open()

    async def close(self) -> None:
        """Stop listening; `changes` and `announced` end."""
        await self.notifications.close()
