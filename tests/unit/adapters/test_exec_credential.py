"""Credentials of exec plugins: taken, renewed when their time is over or nobody knows them, missing with a reason."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from makima.adapters.kubernetes.configuration import NoCluster, load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.errors import ClusterUnavailable

KIND = "client.authentication.k8s.io/v1"
COUNTING = f"""\
#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >> "$0.asked"
number=$(wc -l < "$0.asked")
expires=$(cat "$0.expires" 2>/dev/null)
echo '{{"apiVersion": "{KIND}", "kind": "ExecCredential", "status": {{"token": "t'$number'"'$expires'}}}}'
"""


@dataclass
class PlayedServer:
    """An API server that knows the tokens that it is told to know."""

    url: str
    known: set[str] = field(default_factory=lambda: {"Bearer t1", "Bearer t2", "Bearer t3"})
    seen: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("Authorization", ""))
        if self.seen[-1] not in self.known:
            return web.json_response({"kind": "Status", "message": "Unauthorized", "code": 401}, status=401)
        return web.json_response({"items": []})


@asynccontextmanager
async def played() -> AsyncIterator[PlayedServer]:
    app, server = web.Application(), PlayedServer("")
    app.router.add_get("/api", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def script(folder: Path, text: str) -> Path:
    """A plugin."""
    file = folder / "plugin"
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def kubeconfig(folder: Path, server: str, command: str, **settings: Any) -> Path:
    """A kubeconfig whose user has this plugin."""
    plugin = {"apiVersion": KIND, "command": command, "interactiveMode": "Never", **settings}
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": False}}],
        "users": [{"name": "u", "user": {"exec": plugin}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(content))
    return file


def let_last(plugin: Path, how_long: timedelta) -> None:
    """What the plugin says from now on about how long its token lasts."""
    ends = (datetime.now(UTC) + how_long).isoformat()
    Path(f"{plugin}.expires").write_text(f', "expirationTimestamp": "{ends}"')


def asked(plugin: Path) -> list[dict[str, Any]]:
    """What the plugin was asked, each time."""
    return [json.loads(line) for line in Path(f"{plugin}.asked").read_text().splitlines()]


async def test_a_token_is_asked_for_once_while_it_lasts(tmp_path: Path) -> None:
    plugin = script(tmp_path, COUNTING)
    async with played() as server:
        found = await load_configuration(kubeconfig(tmp_path, server.url, str(plugin)))
        async with Connection(found) as connection:
            for _ in range(3):
                await connection.request("GET", "/api")
    assert server.seen == ["Bearer t1"] * 3
    assert [item["spec"] for item in asked(plugin)] == [{"interactive": False}]


async def test_a_token_whose_time_is_over_is_asked_for_again(tmp_path: Path) -> None:
    plugin = script(tmp_path, COUNTING)
    let_last(plugin, timedelta(seconds=5))
    async with played() as server:
        found = await load_configuration(kubeconfig(tmp_path, server.url, str(plugin)))
        let_last(plugin, timedelta(hours=1))
        async with Connection(found) as connection:
            await connection.request("GET", "/api")
            await connection.request("GET", "/api")
    assert server.seen == ["Bearer t2", "Bearer t2"], "it is renewed before its time is over, and then lasts"


async def test_a_token_that_the_api_server_knows_no_more_is_renewed_and_the_call_made_again(tmp_path: Path) -> None:
    plugin = script(tmp_path, COUNTING)
    async with played() as server:
        server.known = {"Bearer t2"}
        async with Connection(await load_configuration(kubeconfig(tmp_path, server.url, str(plugin)))) as connection:
            await connection.request("GET", "/api")
            server.known = set()
            with pytest.raises(Exception, match="Unauthorized"):
                await connection.request("GET", "/api")
    assert server.seen == ["Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"], "once, and not for ever"


async def test_a_plugin_that_fails_later_is_said_and_ends_nothing(tmp_path: Path) -> None:
    plugin = script(tmp_path, COUNTING)
    async with (
        played() as server,
        Connection(await load_configuration(kubeconfig(tmp_path, server.url, str(plugin)))) as connection,
    ):
        server.known = set()
        plugin.write_text("#!/bin/sh\necho log in again >&2; exit 3\n")
        with pytest.raises(ClusterUnavailable, match="ended with 3: log in again"):
            await connection.request("GET", "/api")
        script(tmp_path, COUNTING)
        server.known = {"Bearer t2"}
        await connection.request("GET", "/api")


async def test_a_plugin_beside_the_kubeconfig_is_told_of_the_cluster_if_it_wants_to_know(tmp_path: Path) -> None:
    plugin = script(tmp_path, COUNTING)
    more = {"provideClusterInfo": True, "env": [{"name": "REGION", "value": "x"}], "args": ["a"]}
    await load_configuration(kubeconfig(tmp_path, "http://127.0.0.1:9", "./plugin", **more))
    assert asked(plugin)[0]["spec"]["cluster"] == {"server": "http://127.0.0.1:9", "insecure-skip-tls-verify": False}


ANSWER = {"apiVersion": KIND, "kind": "ExecCredential", "status": {"token": "x"}}
WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "it fails": ("echo not logged in >&2; exit 1", {}, "ended with 1: not logged in"),
    "it says nothing": ("exit 1", {}, "it says nothing"),
    "no JSON": ("echo token", {}, "no ExecCredential"),
    "a list": ("echo []", {}, "no ExecCredential"),
    "no status": ("echo '{}'", {}, "no ExecCredential"),
    "an empty status": (f"echo '{json.dumps({**ANSWER, 'status': {}})}'", {}, "neither a token nor a certificate"),
    "a certificate without its key": (
        f"echo '{json.dumps({**ANSWER, 'status': {'clientCertificateData': 'x'}})}'",
        {},
        "neither a token nor a certificate",
    ),
    "another version": (f"echo '{json.dumps({**ANSWER, 'apiVersion': 'v9'})}'", {}, "answered in v9"),
    "a version of old": ("true", {"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "exec.apiVersion"),
    "it wants a person": ("true", {"interactiveMode": "Always"}, "there is no terminal"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_plugin_that_gives_no_credential_is_the_error(tmp_path: Path, name: str) -> None:
    text, settings, says = WRONG[name]
    plugin = script(tmp_path, f"#!/bin/sh\n{text}\n")
    with pytest.raises(NoCluster, match=says):
        await load_configuration(kubeconfig(tmp_path, "http://127.0.0.1:9", str(plugin), **settings))


async def test_a_plugin_that_is_not_installed_says_how_to_get_it(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, "http://127.0.0.1:9", "no-such-plugin", installHint="apt install it")
    with pytest.raises(NoCluster, match="can't be started: No such file or directory; apt install it"):
        await load_configuration(file)


FILES: dict[str, tuple[str | None, str]] = {
    "no file": (None, "there is no kubeconfig"),
    "nothing in it": ("", "is no kubeconfig"),
    "no YAML": ("a: [", "is no kubeconfig"),
    "a word": ("kubeconfig", "is no kubeconfig"),
    "a list": ("[]", "is no kubeconfig"),
    "no context": ("clusters: []", "current-context"),
    "a context that is not there": ("current-context: x\ncontexts: []\nclusters: []\nusers: []", "x"),
    "a context of nothing": ("current-context: x\ncontexts: [{name: x}]\nclusters: []\nusers: []", "context"),
}


@pytest.mark.parametrize("name", FILES)
async def test_a_file_that_is_no_kubeconfig_is_the_error(tmp_path: Path, name: str) -> None:
    content, says = FILES[name]
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_text(content)
    with pytest.raises(NoCluster, match=says):
        await load_configuration(file)
