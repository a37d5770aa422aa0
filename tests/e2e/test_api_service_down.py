"""What an aggregated API that does not answer costs the cluster, and that it ends with it.

Namespaces are deleted by kube-controller-manager, so this needs the real node's cluster.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread
from uuid import uuid4

import pytest

from makima.aggregated_wiring import AggregatedApi
from makima.config import Config
from makima.http.bodies import respond
from makima.sandbox import Sandbox
from makima.sandbox.local_cluster import LocalCluster
from makima.schema.aggregated_api import LOCAL_SERVICE, render_api_service, render_local_service
from makima.schema.rbac import NAMESPACE, render_namespace
from tests.e2e.kubectl import Kubectl
from tests.support.connected import connected

pytestmark = [pytest.mark.xdist_group("node"), pytest.mark.exhaustive]

API_SERVICE = render_api_service()["metadata"]["name"]
BLOCKED_SECONDS = 15
"""Longer than a namespace takes to go where nothing is in the way."""


@pytest.fixture
def cluster(node_sandbox: Sandbox) -> LocalCluster:
    assert isinstance(node_sandbox.cluster, LocalCluster)
    return node_sandbox.cluster


@pytest.fixture
def registered(kubectl: Kubectl, cluster: LocalCluster) -> Iterator[None]:
    """The aggregated API is registered, and nothing answers."""
    certificate = cluster.api_listener.pair.certificate.read_bytes()
    api_service = render_api_service(certificate, LOCAL_SERVICE, cluster.api_listener.port)
    there = replace(kubectl, namespace=NAMESPACE)
    for manifest in (render_namespace(), render_local_service(), api_service):
        there.apply(manifest)
    kubectl.run("wait", "--for=condition=Available=False", f"apiservice/{API_SERVICE}", "--timeout=120s", seconds=150)
    yield
    kubectl.run("delete", "apiservice", API_SERVICE, "--ignore-not-found")
    there.run("delete", "service", LOCAL_SERVICE)


@contextmanager
def answering(cluster: LocalCluster) -> Iterator[None]:
    """Somebody answers the API server."""
    listener, pair, end = cluster.api_listener, cluster.api_listener.pair, asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        given = {"kubeconfig": cluster.kubeconfig, "api": {"aggregated_port": listener.port, "front_proxy_seconds": 1}}
        connection = await connected(cluster.kubeconfig)
        nothing = lambda scope, receive, send: respond(send, 200, b"{}")  # noqa: E731
        api = AggregatedApi(Config.model_validate(given), connection, nothing, pair.certificate, pair.key)
        api.start()
        await end.wait()
        await api.stop()

    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()


def _leave_a_namespace(kubectl: Kubectl) -> str:
    name = f"leaving-{uuid4().hex[:8]}"
    kubectl.run("create", "namespace", name)
    kubectl.run("delete", "namespace", name, "--wait=false")
    return name


def _is_there(kubectl: Kubectl, name: str) -> bool:
    return bool(kubectl.run("get", "namespace", name, "--ignore-not-found", "-o", "name"))


def _seconds_until_gone(kubectl: Kubectl, name: str, end: Callable[[], None]) -> float:
    """Time from the end of the trouble until the namespace is gone."""
    end()
    began = time.monotonic()
    kubectl.run("wait", "--for=delete", f"namespace/{name}", "--timeout=500s", seconds=520)
    return time.monotonic() - began


def _blocked(kubectl: Kubectl) -> str:
    """A namespace that can't go, and says why."""
    name = _leave_a_namespace(kubectl)
    kubectl.run(
        "wait",
        "--for=condition=NamespaceDeletionDiscoveryFailure=True",
        f"namespace/{name}",
        "--timeout=120s",
        seconds=150,
    )
    time.sleep(BLOCKED_SECONDS)
    assert _is_there(kubectl, name)
    conditions = json.loads(kubectl.run("get", "namespace", name, "-o", "json"))["status"]["conditions"]
    (why,) = (each for each in conditions if each["type"] == "NamespaceDeletionDiscoveryFailure")
    assert "monitor.makima.dev/v1alpha1" in why["message"]
    return name


def test_a_namespace_elsewhere_goes_once_the_registration_is_gone(
    kubectl: Kubectl, registered: None, record_property: Callable[[str, object], None]
) -> None:
    name = _blocked(kubectl)
    seconds = _seconds_until_gone(kubectl, name, lambda: kubectl.run("delete", "apiservice", API_SERVICE) and None)
    record_property("seconds_until_gone", seconds)
    print(f"gone {seconds:.1f} s after the APIService")


def test_a_namespace_elsewhere_goes_once_the_api_service_answers_again(
    kubectl: Kubectl, registered: None, cluster: LocalCluster, record_property: Callable[[str, object], None]
) -> None:
    name = _blocked(kubectl)
    with answering(cluster):
        seconds = _seconds_until_gone(kubectl, name, lambda: None)
    record_property("seconds_until_gone", seconds)
    print(f"gone {seconds:.1f} s after the API service began to answer")
