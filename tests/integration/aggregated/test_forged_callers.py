"""Who is not the API server does not get in, whatever it says about itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection
from makima.adapters.kubernetes.front_proxy_config import PATH
from makima.sandbox import Sandbox
from makima.sandbox.certificates import Authority, Pair
from makima.sandbox.local_cluster import LocalCluster
from makima.schema.aggregated_api import LOCAL_SERVICE, serving_name
from makima.tls_connections import tls_connector
from tests.support.api_process import ApiUnderTest
from tests.support.carried_world import CarriedWorld
from tests.support.front_proxy import NAME, client_context
from tests.support.kube import until

pytestmark = pytest.mark.xdist_group("aggregated")

ROOT = "/apis/monitor.makima.dev/v1alpha1"
ADMIN = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}
CA = "requestheader-client-ca-file"


def cluster_of(sandbox: Sandbox) -> LocalCluster:
    assert isinstance(sandbox.cluster, LocalCluster)
    return sandbox.cluster


async def call(sandbox: Sandbox, pair: Pair | None, path: str = ROOT, **headers: str) -> int:
    """HTTP status of a call that goes straight to the listener.

    Raises:
        aiohttp.ClientError: not let in.
    """
    listener = cluster_of(sandbox).api_listener
    context = client_context(listener.pair.certificate, pair)
    connector = tls_connector(context)
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as session,
        session.get(f"https://localhost:{listener.port}{path}", server_hostname=serving_name(LOCAL_SERVICE)) as answer,
    ):
        await answer.read()
        return answer.status


Certificates = dict[str, Callable[[Sandbox, Path], Pair | None]]
WRONG: Certificates = {
    "none": lambda sandbox, folder: None,
    "one of a person": lambda sandbox, folder: Authority(sandbox.folder / "pki", "ca").client(
        "forger", NAME, ("system:masters",)
    ),
    "one of the right authority and another name": lambda sandbox, folder: Authority(
        sandbox.folder / "pki", "front-proxy-ca"
    ).client("forger-of-names", "forger"),
    "one of an authority of its own": lambda sandbox, folder: Authority(folder, "front-proxy-ca").client("p", NAME),
}


@pytest.mark.parametrize("which", WRONG)
async def test_a_wrong_certificate_gets_nobody_in(
    api: ApiUnderTest, installed_cluster: Sandbox, tmp_path: Path, which: str
) -> None:
    pair = await asyncio.to_thread(WRONG[which], installed_cluster, tmp_path)
    with pytest.raises(aiohttp.ClientError):
        await call(installed_cluster, pair, **ADMIN)


async def test_the_front_proxys_own_certificate_would_get_in(api: ApiUnderTest, installed_cluster: Sandbox) -> None:
    """So that the refusals above are about the certificates."""
    pair = Authority(installed_cluster.folder / "pki", "front-proxy-ca").client("front-proxy-client", NAME)
    assert await call(installed_cluster, pair, **ADMIN) == 200
    assert await call(installed_cluster, pair) == 401


async def test_identity_headers_mean_nothing_on_the_other_listener(
    api: ApiUnderTest, world: CarriedWorld, admin: Connection
) -> None:
    for path in ("/api/v1/contracts", f"{ROOT}/contracts", ROOT, "/api/v1/contracts/dashboard"):
        async with world.http.get(api.url + path, headers=ADMIN) as answer:
            assert answer.status == 401, path
            assert (await answer.json())["error"]["code"] == "UNAUTHENTICATED"


@asynccontextmanager
async def also_trusted(admin: Connection, authority: Authority) -> AsyncIterator[None]:
    """A cluster that has begun to rotate its front proxy's authority."""
    before: str = (await admin.request("GET", PATH))["data"][CA]

    async def write(text: str) -> None:
        await admin.request("PATCH", PATH, body={"data": {CA: text}}, content_type=MERGE_PATCH)

    await write(before + authority.certificate.read_text())
    try:
        yield
    finally:
        await write(before)


async def test_a_rotated_authority_is_followed_without_a_restart(
    api: ApiUnderTest, installed_cluster: Sandbox, admin: Connection, tmp_path: Path
) -> None:
    fresh = await asyncio.to_thread(Authority, tmp_path, "front-proxy-ca")
    pair = await asyncio.to_thread(fresh.client, "p", NAME)

    async def let_in() -> bool:
        try:
            return await call(installed_cluster, pair, **ADMIN) == 200
        except aiohttp.ClientError:
            return False

    async def kept_out() -> bool:
        return not await let_in()

    assert await kept_out()
    async with also_trusted(admin, fresh):
        await until("the new authority to be believed", let_in, 120)
    await until("the new authority not to be believed any more", kept_out, 120)
    found: Any = await admin.request("GET", ROOT)
    assert found["kind"] == "APIResourceList", json.dumps(found)
