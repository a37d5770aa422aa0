"""Starting, finding and ending a sandbox: a cluster and a database, the user's own or made here."""

from __future__ import annotations

import shutil
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from makima.sandbox.folders import SandboxError, sandbox_folder, sandboxes_folder
from makima.sandbox.go_build import Progress
from makima.sandbox.guard import start_guard
from makima.sandbox.local_cluster import LocalCluster, Ports
from makima.sandbox.locking import exclusive
from makima.sandbox.node.layout import NODE
from makima.sandbox.node.node import Node, node_state
from makima.sandbox.node.programs import find_node_programs, one_node_folder
from makima.sandbox.node.requirements import require_node_support
from makima.sandbox.own_cluster import OwnCluster
from makima.sandbox.postgres import LocalPostgres, OwnPostgres, create_cluster
from makima.sandbox.programs import find_programs
from makima.sandbox.server_process import ServerProcess, free_port
from makima.sandbox.state import read_state, write_state

PORT_ATTEMPTS = 3
AGGREGATED_PORT = 8443
"""Of sandboxes that were started before there was an aggregated API."""


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
        shutil.rmtree(self.folder, ignore_errors=True)


def attach(name: str) -> Sandbox | None:
    """The sandbox of this name as it was started, running or not; None if there is none."""
    folder = sandbox_folder(name)
    state = read_state(folder)
    return _from_state(name, folder, state) if state is not None else None


def start(
    name: str = "default",
    *,
    own: Own | None = None,
    node: bool = False,
    ends_with: int | None = None,
    progress: Progress | None = None,
) -> Sandbox:
    """Start a sandbox, or find the running one of this name.

    Args:
        name: several live side by side under different names.
        own: what the user brings; nothing is built or started for that.
        node: with a real node that runs pods; needs root on Linux.
        ends_with: process id; the sandbox ends with this process, even if it is killed. Default: it stays.
        progress: where the one-time build is told.

    Raises:
        SandboxError: says what is missing or does not work.
    """
    folder, own = sandbox_folder(name), own or Own()
    if node:
        _require_node(own)
    with exclusive(sandboxes_folder() / f".{name}.lock"):
        found = attach(name)
        if found is not None and found.running:
            return _as_wanted(found, node)
        if found is not None:
            found.stop()  # what a crash or a reboot left behind
        progress = progress or Progress()
        programs = {} if own.cluster else find_programs(progress)
        node_programs = find_node_programs(progress) if node else None
        if ends_with is not None:
            start_guard(name, ends_with)  # before there is anything that could be left behind
        return _start_new(name, folder, own, programs, node_programs)


def _require_node(own: Own) -> None:
    if own.cluster:
        raise SandboxError("--node is for the sandbox's own cluster", "leave out --node, or --kubeconfig and --context")
    require_node_support()


def _as_wanted(found: Sandbox, node: bool) -> Sandbox:
    if node and found.node is None:
        option = "" if found.name == "default" else f" --name {found.name}"
        raise SandboxError(
            f"sandbox {found.name} runs without a node", f"makima sandbox down{option}, or another --name"
        )
    return found


def _start_new(
    name: str, folder: Path, own: Own, programs: dict[str, Path], node_programs: dict[str, Path] | None
) -> Sandbox:
    for attempt in range(1, PORT_ATTEMPTS + 1):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        state = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "cluster": _cluster_state(own, folder, programs),
            "database": _database_state(own, name),
        }
        if node_programs is not None:
            one_node_folder(folder / NODE / "bin", node_programs)
            state["node"] = node_state()
        write_state(folder, state)
        sandbox = _from_state(name, folder, state)
        if _started(sandbox, last=attempt == PORT_ATTEMPTS):
            return sandbox
    raise AssertionError("the last attempt raises")


def _one_folder(folder: Path, programs: dict[str, Path]) -> Path:
    """One folder for PATH, wherever the programs come from."""
    linked = folder / "bin"
    linked.mkdir()
    for name, file in programs.items():
        (linked / name).symlink_to(file)
    return linked


def _started(sandbox: Sandbox, *, last: bool) -> bool:
    """Whether it started; not if somebody took a port in between, which is worth another attempt."""
    try:
        sandbox.start()
    except SandboxError as error:
        sandbox.end_servers()
        if "in use" in error.message and not last:
            return False
        raise
    except BaseException:  # Ctrl-C included: nothing is left running
        sandbox.stop()
        raise
    return True


def _cluster_state(own: Own, folder: Path, programs: dict[str, Path]) -> dict[str, Any]:
    if own.cluster:
        return {"own": True, "kubeconfig": own.kubeconfig and str(own.kubeconfig), "context": own.context}
    ports = Ports.free()
    linked = _one_folder(folder, programs)
    return {"programs": str(linked), **asdict(ports)}


def _database_state(own: Own, name: str) -> dict[str, Any]:
    if own.database_url is not None:
        return {"own": True, "url": own.database_url}
    return {"folder": str(create_cluster(name)), "port": free_port()}


def _from_state(name: str, folder: Path, state: dict[str, Any]) -> Sandbox:
    cluster, database = _cluster(name, folder, state), _database(state["database"], folder)
    return Sandbox(name, cluster, database, datetime.fromisoformat(state["created"]))


def _cluster(name: str, folder: Path, whole: dict[str, Any]) -> LocalCluster | OwnCluster:
    state = whole["cluster"]
    if "own" in state:
        return OwnCluster(folder, Path(state["kubeconfig"]) if state["kubeconfig"] else None, state["context"])
    ports = Ports(state["etcd"], state["etcd_peer"], state["api"], state.get("aggregated", AGGREGATED_PORT))
    node = Node(name, folder, ports.api, whole["node"]) if "node" in whole else None
    return LocalCluster(folder, Path(state["programs"]), ports, node)


def _database(state: dict[str, Any], folder: Path) -> LocalPostgres | OwnPostgres:
    if "own" in state:
        return OwnPostgres(state["url"])
    return LocalPostgres(Path(state["folder"]), state["port"], folder)
