"""What is written down of a sandbox, and the sandbox that it describes: so that another command finds it again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from makima.sandbox.folders import sandbox_folder
from makima.sandbox.local_cluster import LocalCluster, Ports
from makima.sandbox.node.node import Node
from makima.sandbox.own_cluster import OwnCluster
from makima.sandbox.postgres import LocalPostgres, OwnPostgres, create_cluster
from makima.sandbox.sandbox import Own, Sandbox
from makima.sandbox.server_process import free_port
from makima.sandbox.state import read_state

AGGREGATED_PORT = 8443
"""Of sandboxes that were started before there was an aggregated API."""


def attach(name: str) -> Sandbox | None:
    """The sandbox of this name as it was started, running or not; None if there is none."""
    folder = sandbox_folder(name)
    state = read_state(folder)
    try:
        return from_state(name, folder, state) if state is not None else None
    except FileNotFoundError:
        if read_state(folder) is None:
            return None  # its guard, or `down` of somebody else, took it away while it was looked at
        raise


def new_state(name: str, folder: Path, own: Own, programs: dict[str, Path]) -> dict[str, Any]:
    """What is written down of a sandbox that is about to start: ports that are free now, folders that are made."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "cluster": _cluster_state(own, folder, programs),
        "database": _database_state(own, name),
    }


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


def _one_folder(folder: Path, programs: dict[str, Path]) -> Path:
    """One folder for PATH, wherever the programs come from."""
    linked = folder / "bin"
    linked.mkdir()
    for name, file in programs.items():
        (linked / name).symlink_to(file)
    return linked


def from_state(name: str, folder: Path, state: dict[str, Any]) -> Sandbox:
    """The sandbox that this describes."""
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
