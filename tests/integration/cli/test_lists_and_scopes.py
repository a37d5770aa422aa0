"""What is listed, in every format, for whom; by kubectl's plugin too, and completed from the cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from makima.cli.contracts.exits import Exit
from makima.cli.kubectl import completions
from makima.sandbox import Sandbox
from tests.support.command_line import Stage, stage
from tests.support.kube import Body

OLD = "2026-01-01T12:00:00Z"


def settle(people: Stage, name: str, **status: object) -> Body:
    """Play the operator's part: the contract is accepted, and then stands where the test wants it."""
    from datetime import UTC, datetime

    from makima.adapters.kubernetes.contracts import path_of
    from makima.domain.reconcile.draft import Surroundings
    from makima.domain.reconcile.lifecycle import decide
    from makima.domain.settings import Settings
    from makima.models.contract import Contract

    body = people.get(name)
    decision = decide(Contract.from_object(body), Surroundings(settings=Settings(), now=datetime.now(UTC)))
    assert decision.status is not None
    first = decision.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    path = path_of("contracts", people.namespace, name, "status")
    body = people.do(lambda admin: admin.request("PUT", path, body={**body, "status": first}))
    for state in status.pop("states", ()):  # type: ignore[attr-defined]
        now = body["status"]
        entry = {
            "version": now["version"] + 1,
            "time": OLD,
            "reason": "Test",
            "fromState": now["state"],
            "toState": state,
        }
        entry |= {"fromPhase": now["phase"], "toPhase": now["phase"]}
        change = {"state": state, "version": entry["version"], "transitions": [*now.get("transitions", ()), entry]}
        change |= {"finishedTime": OLD, "stateChangedTime": OLD} if state in ("Failed", "Completed", "Archived") else {}
        body = people.patch(name, {"status": change}, "status")
    return people.patch(name, {"status": status}, "status") if status else body


@pytest.fixture(scope="module")
def filled(people: Stage) -> Stage:
    """Five contracts: created, active, idle for months, failed long ago, archived long ago."""
    for name, spec, states in (
        ("created", {}, ()),
        ("busy", {"type": "execute"}, ("Active",)),
        ("idle", {}, ("Active",)),
        ("failed", {}, ("Failed",)),
        ("gone", {}, ("Failed", "Archived")),
    ):
        people.create(name, **spec)
        settle(people, name, states=states, **({"lastActivityTime": OLD} if name == "idle" else {}))
    people.patch("busy", {"metadata": {"labels": {"team": "a"}}})
    return people


FILTERS: list[tuple[tuple[str, ...], list[str]]] = [
    ((), ["busy", "created", "failed", "gone", "idle"]),
    (("--status", "failed"), ["failed"]),
    (("--status", "active,failed"), ["busy", "failed", "idle"]),
    (("--stale",), ["idle"]),
    (("--threshold", "30m"), ["idle"]),
    (("--waiting",), ["created", "failed"]),
    (("--phase", "execute"), ["busy"]),
    (("--type", "execute"), ["busy"]),
    (("-l", "team=a"), ["busy"]),
    (("--status", "active", "--stale", "--phase", "plan"), ["idle"]),
    (("--status", "active", "--stale", "--phase", "execute"), []),
    (("--limit", "2"), ["busy", "created"]),
    (("-n", "1"), ["busy"]),
]


@pytest.mark.parametrize(("words", "names"), FILTERS, ids=lambda value: " ".join(value) or "all")
def test_filters_agree(filled: Stage, words: tuple[str, ...], names: list[str]) -> None:
    done = filled.makima("vera", "list", "--namespace", filled.namespace, *words, "-o", "json").ok()
    assert [item["metadata"]["name"] for item in done.json["items"]] == names


def test_every_format(filled: Stage) -> None:
    def listed(*words: str) -> str:
        return filled.makima("vera", "list", "--namespace", filled.namespace, "--status", "failed", *words).ok().out

    assert " ".join(listed().split("\n")[0].split()) == "NAME TYPE STATE PHASE STEP WAITING FOR LAST ACTIVITY AGE"
    assert "UID" in listed("-o", "wide").splitlines()[0]
    (item,) = yaml.safe_load(listed("--format", "yaml"))["items"]
    assert item["kind"] == "Contract" and "managedFields" not in item["metadata"]
    assert listed("-o", "name") == "contract.makima.dev/failed\n"
    assert listed("--format", "compact").startswith(f"{filled.namespace}/failed Failed plan 1/2: a retry")


def test_contracts_are_found_by_name_namespace_and_uid(filled: Stage) -> None:
    uid = filled.get("busy")["metadata"]["uid"]
    for wanted in (f"{filled.namespace}/busy", f"{filled.namespace}:busy", uid):
        assert filled.makima("admin", "show", wanted, "-o", "json").ok().json["metadata"]["uid"] == uid
    shown = filled.makima("vera", "show", "busy", "--namespace", filled.namespace, "-o", "name").ok()
    assert shown.out.strip() == f"{filled.namespace}/busy"


def test_what_is_not_there_and_what_is_not_allowed_differ_in_their_exit_codes(filled: Stage) -> None:
    missing = filled.makima("vera", "show", f"{filled.namespace}/nothing")
    assert missing.code == Exit.NOT_FOUND and "CONTRACT_NOT_FOUND" in missing.err and "list -A" in missing.err
    stranger = filled.makima("sam", "show", f"{filled.namespace}/busy")
    assert stranger.code == Exit.FORBIDDEN and "makima-view" in stranger.err
    looker = filled.makima("vera", "pause", f"{filled.namespace}/busy")
    assert looker.code == Exit.FORBIDDEN
    assert not filled.get("busy")["spec"]["suspend"]


def test_somebody_of_another_namespace_sees_theirs_only(filled: Stage, installed_cluster: Sandbox) -> None:
    with stage(installed_cluster, "other") as other:
        other.create("theirs")
        seen = other.makima("ed", "list", "-A", "--namespace", other.namespace, "-o", "json").ok()
        names = {item["metadata"]["name"] for item in seen.json["items"]}
        assert "you may not list contracts in all namespaces" in seen.err
        assert names == {"theirs"}, "ed may list no namespaces, so the one named is all that can be known"
        assert other.makima("admin", "list", "-A", "-o", "name").ok().out.count("/") >= 6


def test_the_inbox_has_the_oldest_first_with_commands_that_work(filled: Stage) -> None:
    done = filled.makima("vera", "inbox", "--namespace", filled.namespace, "-o", "json").ok()
    kinds = [(item["name"], item["kind"]) for item in done.json]
    assert kinds[0] == ("failed", "retry") and ("created", "start") in kinds
    kubeconfig = filled.kubeconfig("vera")
    assert done.json[0]["command"] == f"makima contracts retry {filled.namespace}/failed --kubeconfig {kubeconfig}"
    plugin = filled.kubectl("vera", "inbox", "-n", filled.namespace).ok()
    assert f"→ kubectl contracts retry {filled.namespace}/failed" in plugin.out


def test_health_of_all_ends_with_the_worst(filled: Stage) -> None:
    done = filled.makima("vera", "health", "--namespace", filled.namespace, "-o", "json")
    assert done.code == Exit.UNHEALTHY
    verdicts = {item["name"]: item["health"] for item in done.json}
    assert verdicts["failed"] == "unhealthy" and verdicts["busy"] == "healthy" and verdicts["created"] == "attention"
    assert filled.makima("vera", "health", f"{filled.namespace}/busy").code == 0
    wide = filled.makima("vera", "health", f"{filled.namespace}/busy", "-o", "wide").ok().out.splitlines()
    assert wide[0].endswith("busy: healthy") and wide[1].startswith("  Active in ") and "version " in wide[1]
    assert filled.makima("vera", "health", f"{filled.namespace}/created").code == Exit.ATTENTION


def test_a_cleanup_shows_what_it_would_do_and_does_it_when_forced(filled: Stage) -> None:
    for name in ("old-1", "old-2"):
        filled.create(name)
        settle(filled, name, states=("Failed",))
    where = ("--namespace", filled.namespace, "--older-than", "1d")
    dry = filled.makima("ed", "cleanup", "--archive", "--delete-archived", *where, "--dry-run", "-o", "json").ok()
    planned = {(item["name"], item["action"]) for item in dry.json}
    assert planned == {("failed", "archive"), ("old-1", "archive"), ("old-2", "archive"), ("gone", "delete")}

    nobody = filled.makima("ed", "cleanup", "--archive", *where, "-l", "!team")
    assert "nothing was changed: nobody is there to ask" in nobody.err
    declined = filled.makima("ed", "cleanup", "--delete-archived", *where, typed="n\n").ok()
    assert "would delete" in declined.out
    assert filled.get("gone")["status"]["state"] == "Archived" and not filled.get("failed")["spec"]["archived"]

    forbidden = filled.makima("vera", "cleanup", "--delete-archived", *where, "--force")
    assert forbidden.code == Exit.FAILED and "forbidden" in forbidden.out
    agreed = filled.makima("ed", "cleanup", "--archive", *where, typed="y\n").ok()
    assert agreed.out.count("archived") == 3
    assert filled.get("old-1")["spec"]["archived"]
    deleted = filled.makima("ed", "cleanup", "--delete-archived", *where, "--force").ok()
    assert "gone" in deleted.out and "deleted" in deleted.out
    left = filled.makima("vera", "list", "--namespace", filled.namespace, "-o", "name").ok().out
    assert "contract.makima.dev/gone\n" not in left
    assert "nothing to clean up" in filled.makima("ed", "cleanup", "--delete-archived", *where, "--force").ok().err


def test_a_contract_of_a_manifest_and_one_that_is_refused(filled: Stage, tmp_path: Path) -> None:
    file = tmp_path / "contract.yaml"
    file.write_text(yaml.safe_dump({"kind": "Contract", "metadata": {"name": "given"}, "spec": {"phaseGuard": True}}))
    where = ("--namespace", filled.namespace, "--no-wait")
    filled.makima("ed", "create", "-f", str(file), "--type", "execute", *where).ok()
    assert {"phaseGuard": True, "type": "execute"}.items() <= filled.get("given")["spec"].items()
    again = filled.makima("ed", "create", "-f", str(file), *where)
    assert again.code == Exit.CONFLICT and "already exists" in again.err
    wrong = filled.makima("ed", "create", "Bad_Name", *where)
    assert wrong.code == Exit.REFUSED and "Bad_Name" in wrong.err
    file.write_text("kind: Supervisor")
    assert filled.makima("ed", "create", "-f", str(file), *where).code == Exit.USAGE
    file.write_text("a: [")
    assert filled.makima("ed", "create", "-f", str(file), *where).code == Exit.USAGE


def test_an_api_server_that_is_away_is_said_with_its_own_exit_code(filled: Stage, tmp_path: Path) -> None:
    away = tmp_path / "kubeconfig"
    text = filled.kubeconfig("vera").read_text().replace(filled.sandbox.cluster.server_url, "https://127.0.0.1:9")
    away.write_text(text)
    command = [sys.executable, "-m", "makima", "contracts", "list", "--kubeconfig", str(away)]
    lost = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert lost.returncode == Exit.UNAVAILABLE and "Traceback" not in lost.stderr
    assert "next: see that the address in the kubeconfig is right" in lost.stderr


def test_a_command_that_takes_too_long_ends_with_its_own_exit_code_and_its_wish_stays(filled: Stage) -> None:
    late = filled.makima("ed", "pause", f"{filled.namespace}/busy", "--timeout", "2s")
    assert late.code == Exit.TIMED_OUT and "what was written stays" in late.err
    assert filled.get("busy")["spec"]["suspend"]


@pytest.fixture
def plugin_path(filled: Stage, tmp_path: Path) -> dict[str, str]:
    """The environment in which kubectl finds the plugin, as an installation makes it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, function in (("kubectl-contracts", "contracts"), ("kubectl_complete-contracts", "complete")):
        code = f"from makima.cli.kubectl import {function}; {function}()"
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n')
        (programs / name).chmod(0o755)
    path = os.pathsep.join([str(programs), str(filled.sandbox.cluster.programs), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "KUBECONFIG": str(filled.kubeconfig("vera")), "HOME": str(tmp_path)}


def test_kubectl_runs_the_plugin_and_completes_its_words(filled: Stage, plugin_path: dict[str, str]) -> None:
    def kubectl(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["kubectl", *words], env=plugin_path, capture_output=True, text=True, timeout=120, check=False
        )

    listed = kubectl("contracts", "list", "-n", filled.namespace, "--status", "active", "-o", "name")
    assert (listed.returncode, listed.stdout) == (0, "contract.makima.dev/busy\ncontract.makima.dev/idle\n"), (
        listed.stderr
    )
    usage = kubectl("contracts", "show", "-n", filled.namespace)
    assert usage.returncode == Exit.USAGE and "Usage: kubectl contracts show" in usage.stderr
    words = kubectl("__complete", "contracts", "sh")
    assert words.stdout.splitlines()[0].split("\t")[0] == "show" and ":4" in words.stdout
    names = kubectl("__complete", "contracts", "show", "-n", filled.namespace, "bu")
    assert names.stdout.splitlines()[0] == "busy"


def test_completion_is_silent_where_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert completions(["show", "--kubeconfig", str(tmp_path / uuid4().hex), "wo"]) == [":4"]


def test_a_shell_completes_names_from_the_cluster(filled: Stage, plugin_path: dict[str, str]) -> None:
    words = f"makima contracts show --namespace {filled.namespace} id"
    asked = {"_MAKIMA_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "5"}
    done = subprocess.run(
        [sys.executable, "-m", "makima"],
        env={**plugin_path, **asked},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "plain,idle" in done.stdout, done.stderr
