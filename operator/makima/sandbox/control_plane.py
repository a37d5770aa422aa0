"""etcd and kube-apiserver: how they are started, and when they work."""

from __future__ import annotations

import http.client
import os
import ssl
from pathlib import Path
from typing import Any

from makima.sandbox.certificates import Authority, Pair, cluster_authority, write_signing_key
from makima.sandbox.server_process import ServerProcess

LOOPBACK = "127.0.0.1"
SERVICES = "10.96.0.0/16"
GARBAGE_PERCENT, MEMORY = "200", "1GiB"

FURTHER_OPTIONS = "MAKIMA_SANDBOX_APISERVER_OPTIONS"
"""Options for kube-apiserver besides ours. With `--enable-aggregator-routing=true` it reaches aggregated APIs in pods
(addresses of services lead nowhere outside of the node, where it runs), but then none beside the node."""


def etcd(program: Path, folder: Path, client_port: int, peer_port: int) -> ServerProcess:
    """One member on loopback. Without fsync, as every test cluster: a power cut may cost the sandbox its data."""
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    options = {
        "data-dir": folder / "etcd",
        "unsafe-no-fsync": "true",
        "log-level": "error",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
    }
    return ServerProcess("etcd", _command(program, options), folder, lambda: _etcd_answers(client_port), _environment())


def apiserver(program: Path, folder: Path, etcd_port: int, port: int, address: str = LOOPBACK) -> ServerProcess:
    """kube-apiserver with RBAC, certificates for people, tokens for service accounts, and a front proxy.

    At an address other than loopback it has a node: pods reach it there, and it calls kubelet.
    """
    authority, front = cluster_authority(folder), Authority(folder / "pki", "front-proxy-ca")
    serving = authority.server("kube-apiserver", address)
    proxy = front.client("front-proxy-client", "front-proxy-client")
    signing = write_signing_key(folder / "pki" / "service-accounts.key")
    options = {
        "etcd-servers": f"http://127.0.0.1:{etcd_port}",
        "bind-address": address,
        "advertise-address": address,
        "secure-port": port,
        "tls-cert-file": serving.certificate,
        "tls-private-key-file": serving.key,
        "client-ca-file": authority.certificate,
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": signing,
        "service-account-signing-key-file": signing,
        "service-cluster-ip-range": SERVICES,
        "authorization-mode": "Node,RBAC",
        "allow-privileged": "true",
        "requestheader-client-ca-file": front.certificate,
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": proxy.certificate,
        "proxy-client-key-file": proxy.key,
    }
    admin = authority.client("admin", "admin", ("system:masters",))
    options |= _without_node() if address == LOOPBACK else _with_node(admin)
    return ServerProcess(
        "kube-apiserver",
        _command(program, options) + os.environ.get(FURTHER_OPTIONS, "").split(),
        folder,
        lambda: _api_answers(address, port, authority.certificate, admin),
        _environment(),
    )


def _without_node() -> dict[str, object]:
    """The service `kubernetes` gets no endpoint: loopback is no address for one, and there are no pods to use it."""
    return {"endpoint-reconciler-type": "none"}


def _with_node(admin: Pair) -> dict[str, object]:
    """How it calls kubelet: by address, as nobody resolves the node's name."""
    return {
        "kubelet-client-certificate": admin.certificate,
        "kubelet-client-key": admin.key,
        "kubelet-preferred-address-types": "InternalIP",
    }


def _environment() -> dict[str, Any]:
    """Popen arguments: less garbage collection for more memory (at 400, measured, a write took a third less time)."""
    return {"env": {"GOGC": GARBAGE_PERCENT, "GOMEMLIMIT": MEMORY, **os.environ}}


def _command(program: Path, options: dict[str, object]) -> list[str]:
    return [str(program), *(f"--{name}={value}" for name, value in options.items())]


def _etcd_answers(port: int) -> bool:
    return _ok(http.client.HTTPConnection("127.0.0.1", port, timeout=2), "/health")


def _api_answers(address: str, port: int, authority: Path, admin: Pair) -> bool:
    trust = ssl.create_default_context(cafile=authority)
    trust.load_cert_chain(admin.certificate, admin.key)
    return _ok(http.client.HTTPSConnection(address, port, timeout=2, context=trust), "/readyz")


def _ok(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
