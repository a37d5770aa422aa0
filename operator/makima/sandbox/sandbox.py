"""A sandbox: a cluster and a database, the user's own or made here, that are started and ended together."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from makima.sandbox.api_listener import ApiListener
from makima.sandbox.folders import SandboxError, sandbox_folder
from makima.sandbox.local_cluster import LocalCluster
from makima.sandbox.node.node import Node
from makima.sandbox.own_cluster import OwnCluster
from makima.sandbox.postgres import LocalPostgres, OwnPostgres
from makima.sandbox.server_process import ServerProcess
from makima.sandbox.state import forget


@dataclass(frozen=True, slots=True)
class Own:
    """What the user brings: a cluster (kubeconfig and context), a database, both, or nothing."""

    kubeconfig: Path | None = None
    context: str | None = None
    database_url: str | None = None

    @property
    def cluster(self) -> bool:
        """Whether there is a cluster to use."""
        return self.kubeconfig is not None or self.context is not None


class Sandbox:
    """A cluster and a database that belong together."""

    def __init__(
        self, name: str, cluster: LocalCluster | OwnCluster, database: LocalPostgres | OwnPostgres, created: datetime
    ) -> None:
        self.name, self.cluster, self.database, self.created = name, cluster, database, created
        self.folder = sandbox_folder(name)

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """Every server that was started here."""
        return (*self.cluster.processes, *self.database.processes)

    @property
    def node(self) -> Node | None:
        """The node, if it was started with one."""
        return self.cluster.node if isinstance(self.cluster, LocalCluster) else None

    @property
    def api_listener(self) -> ApiListener | None:
        """Where its API server looks for a `makima api` of this machine; None for a cluster of the user's own."""
        return self.cluster.api_listener if isinstance(self.cluster, LocalCluster) else None

    @property
    def running(self) -> bool:
        """Whether every server is there."""
        return all(server.pid is not None for server in self.processes)

    def start(self) -> None:
        """Start whatever does not run; cluster and database at once.

        Raises:
            SandboxError: one does not work; says which and why.
        """
        errors: list[SandboxError] = []

        def start_database() -> None:
            try:
                self.database.start()
            except SandboxError as error:
                errors.append(error)

        side = threading.Thread(target=start_database)
        side.start()
        try:
            self.cluster.start()
        finally:
            side.join()
        if errors:
            raise errors[0]

    def end_servers(self) -> None:
        """End every server; logs stay, to be read."""
        try:
            self.cluster.stop()
        finally:
            self.database.stop()

    def stop(self) -> None:
        """End every server and forget everything."""
        self.end_servers()
        forget(self.folder)
