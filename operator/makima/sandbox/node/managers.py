"""kube-controller-manager and kube-scheduler: what makes pods of Jobs, gives them to the node, and cleans up."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

from makima.sandbox.server_process import ServerProcess


def controller_manager(program: Path, folder: Path, port: int, kubeconfig: Path) -> ServerProcess:
    """With service-account tokens and garbage collection; without leader election, as there is one."""
    return _manager(program, folder, port, kubeconfig, {
        "use-service-account-credentials": "true",
        "service-account-private-key-file": folder / "pki" / "service-accounts.key",
        "root-ca-file": folder / "pki" / "ca.crt",
        "flex-volume-plugin-dir": folder / "node" / "volume-plugins",
    })  # fmt: skip


def scheduler(program: Path, folder: Path, port: int, kubeconfig: Path) -> ServerProcess:
    """Finds the only node there is."""
    return _manager(program, folder, port, kubeconfig, {})


def _manager(program: Path, folder: Path, port: int, kubeconfig: Path, more: dict[str, object]) -> ServerProcess:
    options = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "leader-elect": "false",
        "bind-address": "127.0.0.1",
        "secure-port": port,
        **more,
    }
    command = [str(program), *(f"--{name}={value}" for name, value in options.items())]
    return ServerProcess(program.name, command, folder, lambda: _healthy(port))


def _healthy(port: int) -> bool:
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE  # it signs its own; only "ok" is read from it
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=2, context=trust)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
