"""A real node of a sandbox: started after the API server's address is there, ended with all that it started."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from makima.sandbox.folders import SandboxError
from makima.sandbox.node.addresses import Addresses, free_addresses
from makima.sandbox.node.cgroups import container_pids, remove_cgroup
from makima.sandbox.node.images import import_image, write_pause_image
from makima.sandbox.node.inside import NODE_NAME
from makima.sandbox.node.layout import NODE, Layout
from makima.sandbox.node.managers import controller_manager, scheduler
from makima.sandbox.node.programs import RUNTIME
from makima.sandbox.private_file import write_private
from makima.sandbox.server_process import ServerProcess, free_port

CONNECT_SECONDS = 20.0
GONE_SECONDS = 300.0
"""The kernel takes networks apart in the background, one after the other: more than 60 s were seen on two cores, while
pods of another node came and went all the time."""

KubeconfigFor = Callable[[str, tuple[str, ...]], Path]


def node_state() -> dict[str, Any]:
    """What a new node is known by: a number that is free at the moment, and ports for its managers."""
    return {"number": free_addresses().number, "controller_manager": free_port(), "scheduler": free_port()}


class Node:
    """One node with containerd and kubelet in namespaces of their own; its managers run beside the API server."""

    def __init__(self, sandbox: str, folder: Path, api_port: int, state: dict[str, Any]) -> None:
        self._sandbox, self._folder = sandbox, folder
        self._layout = Layout(folder / NODE, sandbox, state["number"], api_port, folder / NODE / "bin")
        self._admin = folder / "node-admin.kubeconfig"
        programs = self._layout.programs
        kubeconfigs = {name: folder / f"{name}.kubeconfig" for name in ("controller-manager", "scheduler")}
        self._managers = (
            controller_manager(
                programs / "kube-controller-manager", folder, state["controller_manager"],
                kubeconfigs["controller-manager"],
            ),
            scheduler(programs / "kube-scheduler", folder, state["scheduler"], kubeconfigs["scheduler"]),
        )  # fmt: skip
        command = [sys.executable, "-m", "makima.sandbox.node.init_process", str(self._layout.folder)]
        self._init = ServerProcess(NODE, command, folder, self._ready)

    @property
    def addresses(self) -> Addresses:
        """Where machine, node and pods meet."""
        return self._layout.addresses

    @property
    def folder(self) -> Path:
        """Logs and files of what runs inside."""
        return self._layout.folder

    @property
    def enforcement(self) -> str:
        """Whether seccomp profiles count, in words."""
        enforced = (self._layout.programs / RUNTIME).is_symlink()
        return "seccomp profiles are enforced" if enforced else "seccomp profiles are accepted, not enforced"

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """What the machine sees of it: everything else is inside the first."""
        return (self._init, *self._managers)

    def connect(self, kubeconfig_for: KubeconfigFor) -> None:
        """Start what holds the node together, up to the moment when the machine has an address there.

        Args:
            kubeconfig_for: gives who kubelet, service proxy and managers are.

        Raises:
            SandboxError: it could not be set up; carries what it said.
        """
        self._layout.write()
        self._write_identities(kubeconfig_for)
        if self._init.pid is None:
            self._layout.connected.unlink(missing_ok=True)
            self._init.launch()
        deadline = time.monotonic() + CONNECT_SECONDS
        while not self._layout.connected.exists():
            if self._init.pid is None or time.monotonic() > deadline:
                said = self._init.log.read_text(errors="replace").strip()[-1000:]
                raise SandboxError(f"the node has no network: {said or 'no word'}", f"its whole log: {self._init.log}")
            time.sleep(0.01)

    def start(self) -> None:
        """Start the managers, and wait until the node is Ready and has the image that each pod needs.

        Raises:
            SandboxError: something does not work; says what and why.
        """
        for manager in self._managers:
            if manager.pid is None:
                manager.launch()
        pause = write_pause_image(self._layout)
        self._init.wait()
        self.load(pause)
        for manager in self._managers:
            manager.wait()

    def load(self, archive: Path) -> list[str]:
        """Import an image archive (OCI layout, or `docker save`).

        Returns:
            The names of its images, as pods say them.

        Raises:
            SandboxError: containerd refused it.
        """
        return import_image(self._layout, archive)

    def container_pids(self, container: str) -> list[int]:
        """The processes, as this machine counts them, of a container (`status.containerStatuses[].containerID`)."""
        return container_pids(self._sandbox, container)

    def stop(self) -> None:
        """End it at once with every pod, and remove the cgroups of its pods.

        Raises:
            SandboxError: something is left; says what.
        """
        for manager in self._managers:
            manager.stop()
        own = self._own_link()
        self._init.kill()
        left = [str(folder) for folder in remove_cgroup(self._sandbox)]
        deadline = time.monotonic() + GONE_SECONDS
        while own & set(socket.if_nameindex()):
            if time.monotonic() > deadline:
                left.append(f"network link {self.addresses.link}")
                break
            time.sleep(0.02)
        if left:
            raise SandboxError(f"of the node of {self._sandbox} there is still {', '.join(left)}", "run down again")

    def _own_link(self) -> set[tuple[int, str]]:
        """Its link by number and name: another node may have the name, before this one got it or after it is gone."""
        if self._init.pid is None or not self._layout.connected.exists():
            return set()
        return {link for link in socket.if_nameindex() if link[1] == self.addresses.link}

    def _write_identities(self, kubeconfig_for: KubeconfigFor) -> None:
        """Who kubelet, service proxy and managers are: the users that Kubernetes has roles for."""
        for file, user, groups in (
            (self._layout.kubeconfig, f"system:node:{NODE_NAME}", ("system:nodes",)),
            (self._layout.proxy_kubeconfig, "system:kube-proxy", ()),
            (self._folder / "controller-manager.kubeconfig", "system:kube-controller-manager", ()),
            (self._folder / "scheduler.kubeconfig", "system:kube-scheduler", ()),
            (self._admin, "admin", ("system:masters",)),
        ):
            write_private(file, kubeconfig_for(user, groups).read_bytes())

    def _ready(self) -> bool:
        """Whether the API server says that the node is Ready."""
        known = json.loads(self._admin.read_text())
        cluster, user = known["clusters"][0]["cluster"], known["users"][0]["user"]
        trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
        trust.load_cert_chain(user["client-certificate"], user["client-key"])
        address = str(self.addresses.host)
        connection = http.client.HTTPSConnection(address, self._layout.api_port, timeout=2, context=trust)
        try:
            connection.request("GET", f"/api/v1/nodes/{NODE_NAME}")
            answered = connection.getresponse()
            conditions = json.load(answered)["status"].get("conditions", ()) if answered.status == 200 else ()
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()
        return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
