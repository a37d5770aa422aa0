"""What Kubernetes does not have, from makima's API; and what is left where the API can't be reached."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.cli.contracts.exits import Exit
from makima.sandbox.server_process import free_port
from tests.support.api_process import AUDIENCE, ApiUnderTest, CallerOf, make_account, token_of
from tests.support.command_line import Stage
from tests.support.forwarding import forwarded
from tests.support.kube import RBAC

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def served(driven: Stage, api: ApiUnderTest) -> tuple[Stage, ApiUnderTest]:
    """Operator and API at work."""
    return driven, api


def account(stage: Stage, name: str, *roles: str, forwardable: bool = False) -> str:
    """A token of a service account with these roles; one that is `forwardable` the API server takes as well."""

    async def work(admin: Connection) -> str:
        await make_account(admin, stage.namespace, name)
        for role in roles:
            binding = {
                "metadata": {"name": f"{name}-{role}"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": stage.namespace}],
            }
            await admin.request("POST", f"{RBAC}/namespaces/{stage.namespace}/rolebindings", body=binding)
        issuer = (await admin.request("GET", "/.well-known/openid-configuration"))["issuer"]
        return await token_of(admin, stage.namespace, name, audience=issuer if forwardable else AUDIENCE)

    return stage.do(work)


@pytest.fixture(scope="module")
def token(driven: Stage) -> str:
    """A token of the service account `agent`, which may look and supervise."""
    return account(driven, "agent", "makima-supervise", "makima-view")


@pytest.fixture(scope="module")
def way(served: tuple[Stage, ApiUnderTest], token: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Options that lead to the API."""
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(token)
    return ("--api", served[1].url, "--token-file", str(file))


def finished(stage: Stage, name: str) -> str:
    """A contract that went through its phases; its UID."""
    stage.create(name, type="execute")
    stage.until(name, lambda status: True)
    stage.makima("ed", "complete-deliverable", f"{stage.namespace}/{name}", "pull-request").ok()
    return str(stage.until(name, lambda status: status["state"] == "Completed")["metadata"]["uid"])


def recorded(stage: Stage, way: tuple[str, ...], name: str, wanted: str) -> list[dict[str, Any]]:
    """The history, once it has an event of this type."""
    deadline = time.monotonic() + 60
    while True:
        done = stage.makima("vera", "history", f"{stage.namespace}/{name}", "-o", "json", *way)
        events: list[dict[str, Any]] = done.json if done.code == 0 else []
        if any(event["type"] == wanted for event in events):
            return events
        assert time.monotonic() < deadline, f"{done}"
        time.sleep(0.2)


def test_history_of_a_contract_also_when_it_is_gone(served: tuple[Stage, ApiUnderTest], way: tuple[str, ...]) -> None:
    stage, _ = served
    uid = finished(stage, "told")
    stage.makima("ed", "cleanup", "--archive", "--older-than", "0s", "--namespace", stage.namespace, "--force").ok()
    stage.until("told", lambda status: status["state"] == "Archived")
    stage.makima(
        "ed", "cleanup", "--delete-archived", "--older-than", "0s", "--namespace", stage.namespace, "--force"
    ).ok()
    events = recorded(stage, way, "told", "ContractDeleted")
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    changes = [(event["payload"].get("old_status"), event["payload"].get("new_status")) for event in events]
    assert ("completing", "completed") in changes
    table = stage.makima("vera", "history", uid, "--namespace", stage.namespace, *way).ok().out
    assert "completing → completed" in table and "ContractDeleted" in table
    last = stage.makima("vera", "history", uid, "--tail", "2", "--namespace", stage.namespace, "-o", "json", *way).ok()
    assert [event["seq"] for event in last.json] == [event["seq"] for event in events[-2:]]
    nothing = stage.makima("vera", "history", f"{stage.namespace}/never", *way)
    assert nothing.code == Exit.NOT_FOUND and "CONTRACT_NOT_FOUND" in nothing.err


def test_export_without_the_api_has_what_kubernetes_has_and_says_so(driven: Stage, tmp_path: Path) -> None:
    driven.create("exported")
    driven.until("exported", lambda status: True)
    file = tmp_path / "contract.json"
    words = ("export", f"{driven.namespace}/exported", "--format", "json", "--output", str(file), "--api", NOBODY)
    done = driven.makima("vera", *words).ok()
    assert "note: without history" in done.err and "can't be reached" in done.err
    document = json.loads(file.read_text())
    assert document["resource"]["metadata"]["name"] == "exported" and "history" not in document
    again = driven.makima("vera", *words)
    assert again.code == Exit.REFUSED and "--overwrite" in again.err
    driven.makima("vera", *words, "--overwrite").ok()
    gone = driven.makima("vera", "export", f"{driven.namespace}/never", "--api", NOBODY)
    assert gone.code == Exit.UNAVAILABLE
    plugin = driven.kubectl("vera", "export", "exported", "-n", driven.namespace, "-o", "yaml", "--api", NOBODY).ok()
    assert plugin.out.startswith("format: makima.dev/export/v1")


@contextmanager
def monitoring(stage: Stage, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`makima contracts monitor` in a process of its own; ended at the end."""
    command = [sys.executable, "-m", "makima", "contracts", "monitor", "--kubeconfig", str(stage.kubeconfig("vera"))]
    process = subprocess.Popen(
        [*command, "--namespace", stage.namespace, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def until_line(process: subprocess.Popen[str], *texts: str) -> str:
    """The first line of its output with these texts; the test's own time limit ends the wait."""
    assert process.stdout is not None
    for line in process.stdout:
        if all(text in line for text in texts):
            return line
    raise AssertionError(f"it ended without {texts}: {process.stderr.read() if process.stderr else ''}")


def keep_creating(stage: Stage, process: subprocess.Popen[str], name: str) -> None:
    """Contracts, until the process ends: nothing tells when its watch has begun."""
    for number in range(200):
        if process.poll() is not None:
            return
        stage.create(f"{name}-{number}", suspend=True)
        time.sleep(0.5)


def test_monitor_without_the_api_watches_kubernetes_and_says_so(driven: Stage) -> None:
    driven.create("before")
    with monitoring(driven, "--format", "text", "--api", NOBODY) as process:
        assert process.stderr is not None
        assert "can't be reached" in process.stderr.readline()
        assert "only the Kubernetes API is watched" in process.stderr.readline()
        creating = threading.Thread(target=keep_creating, args=(driven, process, "again"))  # the first list is no event
        creating.start()
        assert until_line(process, "again-", "StatusChanged")
        process.terminate()
        creating.join(60)


@pytest.mark.parametrize("reached", [True, False], ids=["stream", "watch alone"])
def test_monitor_tells_of_contracts_with_the_labels_alone(
    served: tuple[Stage, ApiUnderTest], way: tuple[str, ...], reached: bool
) -> None:
    stage, api = served
    address, prefix = (api.url if reached else NOBODY), f"labels-{reached}".lower()

    def create(process: subprocess.Popen[str]) -> None:
        for number in range(200):
            for team in "ba":
                if process.poll() is None:
                    stage.create(f"{prefix}-{number}-{team}", {"team": team}, suspend=True)

    with monitoring(stage, "--format", "json", *way, "--api", address, "-l", "team=a") as process:
        creating = threading.Thread(target=create, args=(process,))
        creating.start()
        told = [json.loads(until_line(process, '"contract_id":'))["name"] for _ in range(6)]
        process.terminate()
        creating.join(60)
    assert {name.rpartition("-")[2] for name in told} == {"a"}, told


def test_monitor_that_began_without_the_api_goes_on_with_its_stream_once_it_answers(
    served: tuple[Stage, ApiUnderTest], way: tuple[str, ...]
) -> None:
    stage, api = served
    port = free_port()
    with monitoring(stage, "--format", "json", *way, "--api", f"http://127.0.0.1:{port}") as process:
        assert process.stderr is not None
        assert "can't be reached" in process.stderr.readline()
        assert "until it answers" in process.stderr.readline()
        with forwarded("127.0.0.1", int(api.url.rpartition(":")[2]), at=port):
            assert "goes on from here" in process.stderr.readline()
            creating = threading.Thread(target=keep_creating, args=(stage, process, "later"))
            creating.start()
            assert until_line(process, "later-", "StatusChanged", '"seq": ')
            process.terminate()
            creating.join(60)


def test_monitor_whose_stream_is_away_goes_on_with_the_watch_and_comes_back_and_tells_each_event_once(
    served: tuple[Stage, ApiUnderTest], way: tuple[str, ...]
) -> None:
    stage, api = served
    port, address = free_port(), ("127.0.0.1", int(api.url.rpartition(":")[2]))
    told = list[dict[str, Any]]()

    def until(name: str, status: str) -> dict[str, Any]:
        for line in process.stdout or ():
            told.append(json.loads(line))
            if (told[-1].get("name"), told[-1].get("new_status")) == (name, status):
                return told[-1]
        raise AssertionError("it ended")

    with monitoring(stage, "--format", "json", *way, "--api", f"http://127.0.0.1:{port}", "--after", "0") as process:
        assert process.stderr is not None
        assert "can't be reached" in process.stderr.readline()
        assert "until it answers" in process.stderr.readline()
        with forwarded(*address, at=port):
            assert "goes on from here" in process.stderr.readline()
            stage.create("near", suspend=True)
            assert "seq" in until("near", "paused")
        assert "until it answers" in process.stderr.readline()
        stage.create("far", suspend=True)
        assert "seq" not in until("far", "paused")
        with forwarded(*address, at=port):
            assert "goes on from here" in process.stderr.readline()
            stage.create("back", suspend=True)
            assert "seq" in until("back", "paused")
    paused = [frame["name"] for frame in told if frame.get("new_status") == "paused"]
    assert sorted(set(paused)) == sorted(paused) and {"near", "far", "back"} <= set(paused)


def test_what_an_external_supervisor_said_stands_in_place_of_a_log(
    served: tuple[Stage, ApiUnderTest], way: tuple[str, ...], token: str
) -> None:
    stage, api = served
    stage.create("external", supervisor={})
    stage.until("external", lambda status: True)

    async def speak() -> None:
        async with aiohttp.ClientSession() as session:
            caller = CallerOf(session, api.url, token)
            body = {"namespace": stage.namespace, "name": "external", "registration_id": str(uuid4())}
            async with asyncio.timeout(60):
                while (await caller.call("POST", "/api/v1/supervisors/register", body))[0] != 200:
                    await asyncio.sleep(0.2)  # the operator makes the Supervisor in a moment
            life = await caller.good("POST", "/api/v1/supervisors/register", body)
            message = {"id": str(uuid4()), "role": "assistant", "content": "I read \u202ethe file"}
            path = f"/api/v1/contracts/{life['contract_id']}/supervisor/messages"
            said = {"incarnation": life["incarnation"], "first_sequence": 1, "messages": [message]}
            await caller.good("POST", path, said)

    asyncio.run(speak())
    key = f"{stage.namespace}/external"
    done = stage.makima("vera", "logs", key, *way)
    assert done.code == Exit.FORBIDDEN, "vera may not list pods"
    stage.let_read_pods("vera")
    deadline = time.monotonic() + 30
    while (done := stage.makima("vera", "logs", key, *way)).code != 0 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert "has no pod" in done.ok().err
    assert "1 assistant: I read  the file" in done.out
    none = stage.makima("vera", "logs", key, "--previous", *way)
    assert none.code == Exit.NOT_FOUND and "--conversation" in none.err
    alone = stage.makima("vera", "logs", key, "--api", NOBODY).ok()
    assert "this is what the resource shows" in alone.err


def test_a_batch_needs_the_api(driven: Stage) -> None:
    done = driven.makima("ed", "batch", "pause_all", "--namespace", driven.namespace, "--api", NOBODY)
    assert done.code == Exit.UNAVAILABLE and "--api URL" in done.err


def test_a_bulk_operation_shows_asks_and_acts_as_its_caller(
    served: tuple[Stage, ApiUnderTest], way: tuple[str, ...], tmp_path: Path
) -> None:
    stage, api = served
    for name in ("bulk-1", "bulk-2"):
        stage.create(name, suspend=True)
        stage.until(name, lambda status: status["state"] == "Paused")
    file = tmp_path / "token"
    file.write_text(account(stage, "bulk", "makima-batch", "makima-edit", forwardable=True))
    mine = ("--api", api.url, "--token-file", str(file), "--namespace", stage.namespace)
    wanted = {stage.get(name)["metadata"]["uid"] for name in ("bulk-1", "bulk-2")}
    deadline = time.monotonic() + 60
    while True:
        done = stage.makima("vera", "batch", "resume_all", "--dry-run", "-o", "json", *mine)
        if done.code == 0 and wanted <= set(done.json["affected_ids"]):
            break
        assert time.monotonic() < deadline, done
        time.sleep(0.3)
    nobody = stage.makima("vera", "batch", "resume_all", *mine).ok()
    assert "nobody is there to ask" in nobody.err and "would affect" in nobody.out
    named = [f"  {stage.namespace}/{name}" for name in ("bulk-1", "bulk-2")]
    dry = stage.makima("vera", "batch", "resume_all", "--dry-run", *mine).ok()
    assert [line for line in dry.out.splitlines() if line in named] == named
    assert [line for line in nobody.err.splitlines() if line in named] == named
    assert stage.get("bulk-1")["spec"]["suspend"]
    agreed = stage.makima("vera", "batch", "resume_all", *mine, typed="y\n").ok()
    assert "resume_all: affected" in agreed.out
    assert not stage.get("bulk-1")["spec"]["suspend"] and not stage.get("bulk-2")["spec"]["suspend"]
    refused = stage.makima("vera", "batch", "pause_all", "--force", "--namespace", stage.namespace, *way)
    assert refused.code == Exit.FORBIDDEN and "FORBIDDEN" in refused.err
