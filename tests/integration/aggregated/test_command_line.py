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
from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest, make_account, token_of
from tests.support.command_line import Done, Stage, stage
from tests.support.kube import RBAC
from tests.support.kubeconfig_users import by_token
from tests.support.operator_process import operators

pytestmark = pytest.mark.xdist_group("aggregated")


@pytest.fixture(scope="module")
def people(
    installed_cluster: Sandbox, api: ApiUnderTest, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A namespace with its people, an operator at work, and one contract that was completed."""
    folder = tmp_path_factory.mktemp("operator")
    with (
        stage(installed_cluster, "plain") as found,
        operators(installed_cluster, found.namespace, module_database, folder) as start,
    ):
        start().wait_leading()
        found.create("done", type="execute")
        found.until("done", lambda status: True)
        found.makima("ed", "complete-deliverable", f"{found.namespace}/done", "pull-request").ok()
        found.until("done", lambda status: status["state"] == "Completed")
        yield found


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


def test_history_by_token(people: Stage, tmp_path: Path) -> None:
    async def account(admin: Connection) -> str:
        await make_account(admin, people.namespace, "reader")
        binding = {
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makima-view"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": people.namespace}],
        }
        await admin.request("POST", f"{RBAC}/namespaces/{people.namespace}/rolebindings", body=binding)
        issuer = (await admin.request("GET", "/.well-known/openid-configuration"))["issuer"]
        return await token_of(admin, people.namespace, "reader", audience=issuer)

    token = people.do(account)
    user = by_token(people.sandbox, tmp_path, "reader", token)
    people.kubeconfigs["reader"] = user.kubeconfig
    done = once_it_works(people, "reader", "history", f"{people.namespace}/done", "-o", "json")
    assert done.json[-1]["type"]
    assert people.makima("reader", "pause", f"{people.namespace}/done").code == Exit.FORBIDDEN


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
