"""The metrics server of Kubernetes beside a node of the sandbox: what a HorizontalPodAutoscaler reads CPU from.

Built once for this user from its Go module (about two minutes), and run as a process of this machine.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from makima.sandbox.folders import SandboxError, cache_folder
from makima.sandbox.go_build import Progress
from makima.sandbox.go_toolchain import go_command
from makima.sandbox.server_process import free_port
from tests.e2e.kubectl import Kubectl
from tests.e2e.release import Release

VERSION = "v0.8.0"
MODULE = f"sigs.k8s.io/metrics-server/cmd/metrics-server@{VERSION}"
NAME, NAMESPACE = "metrics-server", "kube-system"
RESOLUTION = "10s"


def metrics_server() -> Path:
    """The program; skips, with the reason, where it can't be built."""
    folder = cache_folder() / "programs" / f"{NAME}-{VERSION}"
    if not (folder / NAME).exists():
        try:
            go = go_command(Progress())
        except SandboxError as error:
            pytest.skip(f"no Go that could build {MODULE}: {error}")
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
        done = subprocess.run([go, "install", MODULE], env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"{MODULE} can't be built: {done.stderr[-500:]}")
    return folder / NAME


@contextmanager
def measuring(release: Release) -> Iterator[None]:
    """The cluster's API `metrics.k8s.io` answers while the block runs."""
    assert release.sandbox.node is not None
    host, port = str(release.sandbox.node.addresses.host), free_port()
    kubeconfig = release.sandbox.cluster.kubeconfig
    options = {
        "secure-port": port,
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "kubelet-insecure-tls": "true",  # kubelet signs its own; nothing but this test's figures come from it
        "kubelet-preferred-address-types": "InternalIP",
        "metric-resolution": RESOLUTION,
        "kubelet-request-timeout": "5s",
    }
    with TemporaryDirectory() as place:
        command = [str(metrics_server()), *(f"--{key}={value}" for key, value in options.items())]
        log = Path(place, "log")
        with log.open("w") as out, subprocess.Popen([*command, f"--cert-dir={place}"], stderr=out) as process:
            try:
                _register(replace(release.system, namespace=NAMESPACE), host, port)
                release.until("metrics of pods", lambda: _answers(release.system, process, log))
                yield
            finally:
                process.terminate()
                process.wait(30)


def _register(kubectl: Kubectl, host: str, port: int) -> None:
    """An APIService whose Service has this machine as its only endpoint."""
    metadata = {"name": NAME, "namespace": NAMESPACE}
    slices = {"name": NAME, "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": NAME}}
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    kubectl.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{**ports[0], "port": 443}]}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": slices,
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [{"addresses": [host], "conditions": {"ready": True}}],
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "service": {**metadata, "port": 443},
                "insecureSkipTLSVerify": True,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
    )


def _answers(kubectl: Kubectl, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()[-3000:]
    try:
        return "cpu" in kubectl.run("get", "--raw", f"/apis/metrics.k8s.io/v1beta1/namespaces/{kubectl.namespace}/pods")
    except AssertionError:  # not yet registered, or nothing measured twice
        return False
