"""The connection to the API server: by which proxy, with which certificate, and what is closed when that is renewed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from kubernetes.aio.client import Configuration

from makima.adapters.kubernetes.as_caller import without_credentials
from makima.adapters.kubernetes.configuration import environment_proxy, load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.sandbox.certificates import Authority
from tests.unit.adapters.test_exec_credential import kubeconfig, played

SERVER = "https://api.example:6443"
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "other.example,.example"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "other.example"}, "http://proxy:3128"),
    ],
)
def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(SERVER) == proxy


async def test_a_proxy_of_the_kubeconfig_goes_before_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    cluster = {"server": SERVER}
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(content))
    assert (await load_configuration(file)).proxy == "http://proxy:3128"
    cluster["proxy-url"] = "http://bastion:8080"
    file.write_text(json.dumps(content))
    assert (await load_configuration(file)).proxy == "http://bastion:8080"


@pytest.mark.parametrize("made_for", [lambda own: own, without_credentials], ids=["itself", "a caller"])
async def test_no_call_goes_with_a_password_that_lies_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_for: Callable[[Configuration], Configuration]
) -> None:
    """What ~/.netrc says is for other programs."""
    async with played() as server:
        host = server.url.rpartition(":")[0].rpartition("/")[2]
        netrc = tmp_path / "netrc"
        netrc.write_text(f"machine {host} login somebody password secret\n")
        monkeypatch.setenv("NETRC", str(netrc))
        file = kubeconfig(tmp_path, server.url, "unused")
        content = json.loads(file.read_text())
        content["users"][0]["user"] = {}
        file.write_text(json.dumps(content))
        server.known = {""}
        async with Connection(made_for(await load_configuration(file))) as connection:
            await connection.request("GET", "/api")
    assert server.seen == [""]


class Renewed:
    """A credential that is another one at each call, as a certificate that lasts for minutes is."""

    number = 0

    async def renewed(self, configuration: Configuration, refused: int | None = None) -> int:
        self.number += 1
        return self.number


async def test_of_certificates_that_are_over_one_is_kept_for_what_still_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Authority(tmp_path, "ca").client("client", "somebody")
    async with played() as server:
        configuration = Configuration(host=server.url)
        configuration.cert_file, configuration.key_file = str(pair.certificate), str(pair.key)
        configuration.makima_renewal = Renewed()
        server.known = {""}
        async with Connection(configuration) as connection:
            used = []
            for _ in range(4):
                await connection.request("GET", "/api")
                used.append(connection._session())
            await asyncio.sleep(0)
            assert [session.closed for session in used] == [True, True, False, False]
        assert all(session.closed for session in used)
