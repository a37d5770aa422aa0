"""The command line with nothing but a kubeconfig: what Kubernetes does not have comes through the aggregated API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.cli.contracts.exits import Exit
from tests.support.api_process import make_account, token_of
from tests.support.command_line import Done, Stage
from tests.support.kube import RBAC
from tests.support.kubeconfig_users import by_certificate, by_exec_plugin, by_token

ROOT = "/apis/monitor.makima.dev/v1alpha1"
pytestmark = pytest.mark.xdist_group("aggregated")


@pytest.fixture(scope="module")
def people(driven: Stage) -> Stage:
    """The same with one contract that was completed."""
    driven.create("done", type="execute")
    driven.until("done", lambda status: True)
    driven.makima("ed", "complete-deliverable", f"{driven.namespace}/done", "pull-request").ok()
    driven.until("done", lambda status: status["state"] == "Completed")
    return driven


def once_it_works(run: Stage, who: str, *words: str, seconds: float = 60) -> Done:
    """A command, again until it works: RBAC, the APIService and the history each take their moment."""
    deadline = time.monotonic() + seconds
    while (done := run.makima(who, *words)).code != 0:
        assert time.monotonic() < deadline, done
        time.sleep(0.3)
    return done


def test_history_and_export_by_certificate(people: Stage) -> None:
    key = f"{people.namespace}/done"
    table = once_it_works(people, "vera", "history", key)
    deadline = time.monotonic() + 60
    while "completing → completed" not in table.out:
        assert time.monotonic() < deadline, table
        table = people.makima("vera", "history", key).ok()
    document = people.makima("vera", "export", key).ok().json
    assert document["resource"]["metadata"]["name"] == "done"
    assert any(event["payload"].get("new_status") == "completed" for event in document["history"])


def token_for(people: Stage, name: str) -> str:
    """A token of a service account that may look."""

    async def account(admin: Connection) -> str:
        await make_account(admin, people.namespace, name)
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makima-view"},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": people.namespace}],
        }
        await admin.request("POST", f"{RBAC}/namespaces/{people.namespace}/rolebindings", body=binding)
        issuer = (await admin.request("GET", "/.well-known/openid-configuration"))["issuer"]
        return await token_of(admin, people.namespace, name, audience=issuer)

    return people.do(account)


def test_history_by_token(people: Stage, tmp_path: Path) -> None:
    user = by_token(people.sandbox, tmp_path, "reader", token_for(people, "reader"))
    people.kubeconfigs["reader"] = user.kubeconfig
    done = once_it_works(people, "reader", "history", f"{people.namespace}/done", "-o", "json")
    assert done.json[-1]["type"]
    assert people.makima("reader", "pause", f"{people.namespace}/done").code == Exit.FORBIDDEN


@pytest.mark.parametrize("credential", ["token", "certificate"])
def test_everything_by_what_an_exec_plugin_gives(people: Stage, tmp_path: Path, credential: str) -> None:
    """From Kubernetes, from makima's API, and a WebSocket through both; kubectl takes the same kubeconfig."""
    name = f"plugged-{credential}"
    if credential == "token":
        status = {"token": token_for(people, name)}
    else:
        people.bind(name, "makima-view")
        own = by_certificate(people.sandbox, name).credential()
        pair = (("clientCertificateData", "client-certificate"), ("clientKeyData", "client-key"))
        status = {field: Path(own[key]).read_text() for field, key in pair}
    user = by_exec_plugin(people.sandbox, tmp_path, name, status)
    people.kubeconfigs[name] = user.kubeconfig
    key = f"{people.namespace}/done"
    assert once_it_works(people, name, "history", key, "-o", "json").json[-1]["type"]
    assert people.makima(name, "show", key).ok().out.startswith("waits for ")
    assert people.makima(name, "pause", key).code == Exit.FORBIDDEN
    told = people.makima(name, "monitor", key, "--after", "0", "--timeout", "10s", "--format", "json").ok()
    kinds = {json.loads(line)["type"] for line in told.out.splitlines()}
    assert {"Subscribed", "StatusChanged"} <= kinds and "only the Kubernetes API" not in told.err
    assert user.run("get", "contract", "done", "-n", people.namespace).returncode == 0


def test_somebody_in_hundreds_of_groups_has_a_websocket(people: Stage) -> None:
    person = by_certificate(people.sandbox, "sociable", tuple(f"{number:04}-of-the-people" for number in range(300)))
    people.bind("sociable", "makima-view")
    people.kubeconfigs["sociable"] = person.kubeconfig
    once_it_works(people, "sociable", "history", f"{people.namespace}/done")

    async def first_frame(connection: Connection) -> str:
        socket = await connection.websocket(f"{ROOT}/namespaces/{people.namespace}/monitor?watch=true&after=0")
        try:
            return str((await socket.receive_json(timeout=60))["type"])
        finally:
            await socket.close()

    assert people.do(first_frame, "sociable") == "Subscribed"


def test_an_exec_plugin_that_fails_is_the_error(people: Stage, tmp_path: Path) -> None:
    user = by_exec_plugin(people.sandbox, tmp_path, "failing", {})
    (tmp_path / "failing-plugin").write_text("#!/bin/sh\necho please log in >&2; exit 7\n")
    people.kubeconfigs["failing"] = user.kubeconfig
    done = people.makima("failing", "list", "--namespace", people.namespace)
    assert done.code == Exit.UNAVAILABLE and "ended with 7: please log in" in done.err and "Traceback" not in done.err


def test_who_may_not_look_is_told_so_by_the_api_too(people: Stage) -> None:
    done = people.makima("sam", "history", f"{people.namespace}/done")
    assert done.code == Exit.FORBIDDEN
    assert "FORBIDDEN" in done.err or "forbidden" in done.err


def test_a_bulk_operation_by_certificate_is_written_from_here_and_recorded(people: Stage) -> None:
    people.bind("bea", "makima-batch")
    people.bind("bea", "makima-edit")
    old = ("--older-than", "0h", "-o", "json", "--namespace", people.namespace)
    once_it_works(people, "bea", "batch", "archive_old", "--dry-run", *old)
    uid = people.get("done")["metadata"]["uid"]
    dry = once_it_works(people, "bea", "batch", "archive_old", *old)
    assert (dry.json["dry_run"], people.get("done")["spec"].get("archived", False)) == (True, False)
    deadline = time.monotonic() + 60
    while (
        uid not in (done := once_it_works(people, "bea", "batch", "archive_old", "--force", *old)).json["affected_ids"]
    ):
        assert time.monotonic() < deadline, done
    assert done.json["errors"] == []
    people.until("done", lambda status: status["state"] == "Archived")
    assert people.makima("vera", "batch", "archive_old", "--force", *old).code == Exit.FORBIDDEN


@contextmanager
def monitoring(people: Stage, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`makima contracts monitor` of vera, in a process of its own; ended at the end."""
    command = [sys.executable, "-m", "makima", "contracts", "monitor", *words, "--namespace", people.namespace]
    process = subprocess.Popen(
        [*command, "--kubeconfig", str(people.kubeconfig("vera"))],
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


def frame_of(process: subprocess.Popen[str], kind: str) -> dict[str, Any]:
    """The next frame of this type; the test's own time limit ends the wait."""
    assert process.stdout is not None and process.stderr is not None
    for line in process.stdout:
        frame: dict[str, Any] = json.loads(line)
        if frame["type"] == kind:
            return frame
    raise AssertionError(f"it ended: {process.stderr.read()}")


def test_the_monitor_streams_by_kubeconfig_and_goes_on_after_a_number(people: Stage) -> None:
    people.create("live")
    people.create("other")
    for name in ("live", "other"):
        people.until(name, lambda status: True)
    once_it_works(people, "vera", "history", f"{people.namespace}/live")
    with monitoring(people, "live", "--format", "json", "--quiet") as process:
        assert frame_of(process, "Subscribed")["filter"]["contract_ids"] == [people.get("live")["metadata"]["uid"]]
        for name in ("other", "live"):
            people.makima("ed", "pause", f"{people.namespace}/{name}").ok()
        first = frame_of(process, "StatusChanged")
    assert (first["name"], first["old_status"], first["new_status"]) == ("live", "created", "paused")
    with monitoring(people, "--format", "json", "--after", str(first["seq"] - 1)) as process:
        frame_of(process, "Subscribed")
        assert frame_of(process, "StatusChanged")["seq"] == first["seq"]


def test_the_monitor_writes_lines_for_people(people: Stage) -> None:
    people.create("read", suspend=True)
    people.until("read", lambda status: status["state"] == "Paused")
    done = once_it_works(people, "vera", "monitor", f"{people.namespace}/read", "--after", "0", "--timeout", "10s")
    assert f"{people.namespace}/read  StatusChanged  created → paused" in done.out
    assert "other" not in done.out
