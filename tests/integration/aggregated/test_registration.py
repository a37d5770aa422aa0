"""Registering the aggregated API: only what answers stays registered, and a certificate is made once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from makima.adapters.kubernetes.api_registration import NotAnswering, certificate_in
from makima.adapters.kubernetes.apply import manifest_path
from makima.adapters.kubernetes.connection import Connection
from makima.aggregated_wiring import connect_local_api, install_aggregated_api
from makima.errors import NotFound
from makima.sandbox import Sandbox
from makima.sandbox.local_cluster import LocalCluster
from makima.sandbox.server_process import free_port
from makima.schema.aggregated_api import render_api_service, render_secret
from tests.support.api_process import ApiUnderTest

pytestmark = pytest.mark.xdist_group("aggregated")

PATH = manifest_path(render_api_service())


async def is_registered(admin: Connection) -> bool:
    try:
        await admin.request("GET", PATH)
    except NotFound:
        return False
    return True


async def test_what_does_not_answer_is_not_left_registered(admin: Connection, installed_cluster: Sandbox) -> None:
    assert isinstance(installed_cluster.cluster, LocalCluster)
    cluster = installed_cluster.cluster
    with pytest.raises(NotAnswering, match="does not reach"):
        await connect_local_api(
            cluster.kubeconfig, cluster.api_listener.pair.certificate.read_bytes(), free_port(), seconds=3
        )
    assert not await is_registered(admin)


async def test_the_certificate_is_made_once_and_waits_for_the_pods(
    admin: Connection, installed_cluster: Sandbox
) -> None:
    found = []
    for _ in range(2):
        with pytest.raises(NotAnswering):
            await install_aggregated_api(installed_cluster.cluster.kubeconfig, seconds=1)
        assert not await is_registered(admin)
        found.append(await certificate_in(admin, render_secret(b"", b"")))
    assert found[0] == found[1] != b""


def _makima(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "makima", *arguments]
    return subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=150, check=False)


async def test_the_sandbox_is_connected_and_disconnected(
    api: ApiUnderTest, admin: Connection, installed_cluster: Sandbox
) -> None:
    name = ("--name", installed_cluster.name)
    exports = await asyncio.to_thread(_makima, "sandbox", "env", *name)
    assert f"export MAKIMA_API__AGGREGATED_PORT={api.ports['aggregated']}\n" in exports.stdout
    said = [
        (await asyncio.to_thread(_makima, "sandbox", what, *name)).stdout.splitlines()[0]
        for what in ("disconnect", "disconnect", "connect")
    ]
    assert said[:2] == ["disconnected", "it was not connected"]
    assert said[2].startswith("connected; try: kubectl get --raw /apis/monitor.makima.dev/")
    found = await admin.request("GET", "/apis/monitor.makima.dev/v1alpha1")
    assert found["kind"] == "APIResourceList"
