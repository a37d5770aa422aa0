"""The aggregated API answers while Postgres is away: else it would block the deletion of every namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from makima.sandbox import Sandbox
from makima.sandbox.certificates import Authority
from makima.sandbox.server_process import free_port
from makima.schema.aggregated_api import LOCAL_SERVICE, serving_name
from makima.tls_connections import tls_connector
from tests.support.api_process import ApiUnderTest, apis
from tests.support.front_proxy import NAME, client_context, write_serving

pytestmark = pytest.mark.xdist_group("aggregated")

ROOT = "/apis/monitor.makima.dev/v1alpha1"
ADMIN = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}
SERVER = serving_name(LOCAL_SERVICE)


@pytest.fixture
def poor_api(installed_cluster: Sandbox, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """An API process whose Postgres is not there, and never was."""
    pair = write_serving(tmp_path, SERVER)
    settings = {
        "api__aggregated_port": 0,
        "api__aggregated_certificate": pair.certificate,
        "api__aggregated_key": pair.key,
        "api__front_proxy_seconds": 0.2,
    }
    with apis(installed_cluster, f"postgresql://127.0.0.1:{free_port()}/none", tmp_path, **settings) as start:
        yield start()


async def test_it_is_ready_and_answers_discovery(
    poor_api: ApiUnderTest, installed_cluster: Sandbox, tmp_path: Path
) -> None:
    assert poor_api.get("health", "/readyz")[0] == 200
    pair = Authority(installed_cluster.folder / "pki", "front-proxy-ca").client("front-proxy-client", NAME)
    connector = tls_connector(client_context(tmp_path / "tls.crt", pair))
    root = f"https://localhost:{poor_api.ports['aggregated']}"
    async with aiohttp.ClientSession(root, connector=connector, headers=ADMIN) as session:
        await _let_in(session)
        async with session.get(f"{ROOT}/contracts", server_hostname=SERVER) as answer:
            found = await answer.json()
            assert (answer.status, found["kind"], found["error"]["code"]) == (503, "Status", "UNAVAILABLE")


async def _let_in(session: aiohttp.ClientSession) -> None:
    """Wait until the process knows the front proxy, and answers discovery."""
    async with asyncio.timeout(120):
        while True:
            try:
                async with session.get(ROOT, server_hostname=SERVER) as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
