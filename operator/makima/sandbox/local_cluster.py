"""etcd and kube-apiserver of the sandbox's own, a node if wanted, and kubeconfigs for whoever wants to be somebody."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from makima.sandbox.api_listener import ApiListener
from makima.sandbox.certificates import cluster_authority
from makima.sandbox.control_plane import LOOPBACK, apiserver, etcd
from makima.sandbox.kubeconfig import write_kubeconfig
from makima.sandbox.node.node import Node
from makima.sandbox.server_process import ServerProcess, free_port


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the servers listen, on loopback; `aggregated` is for a `makima api` of this machine."""

    etcd: int
    etcd_peer: int
    api: int
    aggregated: int

    @classmethod
    def free(cls) -> Ports:
        """Some that are free at the moment."""
        return cls(free_port(), free_port(), free_port(), free_port())


class LocalCluster:
    """A control plane; without a node it does everything but run pods."""

    def __init__(self, folder: Path, programs: Path, ports: Ports, node: Node | None = None) -> None:
        self._folder, self.programs, self.node = folder, programs, node
        address = LOOPBACK if node is None else str(node.addresses.host)
        self._ports, self.server_url = ports, f"https://{address}:{ports.api}"
        self._authority = cluster_authority(folder)
        self.etcd = etcd(programs / "etcd", folder, ports.etcd, ports.etcd_peer)
        self.apiserver = apiserver(programs / "kube-apiserver", folder, ports.etcd, ports.api, address)
        self.kubeconfig = self.kubeconfig_for("admin", ("system:masters",))

    @property
    def api_listener(self) -> ApiListener:
        """Where a `makima api` of this machine listens for the API server."""
        # All CRDs and policies come with it: a third of a second, for each command and for the guard of each sandbox.
        from makima.schema.aggregated_api import LOCAL_SERVICE, serving_name  # noqa: PLC0415

        return ApiListener(self._folder / "pki", self._ports.aggregated, serving_name(LOCAL_SERVICE))

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """What runs."""
        return (self.etcd, self.apiserver, *(self.node.processes if self.node else ()))

    def start(self) -> None:
        """Start both at once and wait until the API server works, and the node after it.

        Raises:
            SandboxError: one does not work; says which and why.
        """
        if self.node:
            self.node.connect(self.kubeconfig_for)  # the API server listens at an address that comes with it
        for server in (self.etcd, self.apiserver):
            if server.pid is None:
                server.launch()
        self.etcd.wait()
        self.apiserver.wait()
        if self.node:
            self.node.start()

    def kubeconfig_for(self, user: str, groups: tuple[str, ...] = ()) -> Path:
        """A kubeconfig for a user in these groups; system:authenticated comes by itself."""
        key = hashlib.sha256("\0".join((user, *groups)).encode()).hexdigest()[:12]
        name = f"{user.rpartition(':')[2]}-{key}"
        pair = self._authority.client(name, user, groups)
        credential = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        file = self._folder / f"{name}.kubeconfig"
        return write_kubeconfig(file, self.server_url, self._authority.certificate, credential)

    def stop(self) -> None:
        """The API server first: it needs etcd to end in good order; the node last, as the address goes with it."""
        if self.node:
            self.apiserver.kill()  # with kubelet watching, good order takes a minute, and its data is forgotten anyway
        self.apiserver.stop()
        self.etcd.stop()
        if self.node:
            self.node.stop()
