"""The chart on a real node, or in a cluster that is there: installed, at work, every pod killed, and gone again.

The tests of this file look at one release in this order; each brings it first to where it looks, so that one that
failed can be run by itself.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import chdir
from typing import Any

import pytest

from makima.sandbox.image.makima_image import image_name
from tests.e2e.given import given, given_cluster
from tests.e2e.release import ROOT, SYSTEM, WORK, Release, node_for_a_release

pytestmark = [pytest.mark.timeout(1500), pytest.mark.any_cluster, pytest.mark.exhaustive]

EXAMPLE = ROOT / "examples" / "runbook" / "contract.yaml"
MOVES = (("check", "change"), ("change", "verify"), ("verify", "Completed"))
BEHIND = "killing processes behind kubelet's back needs the sandbox's own node"
PLACEHOLDER = "postgresql://USER:PASSWORD@HOST:5432/makima"


def readme_commands() -> list[str]:
    """The lines of README's section on installing."""
    section = (ROOT / "README.md").read_text().partition("## Install on a cluster")[2].partition("\n## ")[0]
    return re.findall(r"^\$ (.*)$", section, re.MULTILINE)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """Nothing but a node with the image, or a cluster that has one."""
    folder = tmp_path_factory.mktemp("helm")
    with given_cluster(folder) if given("KUBECONFIG") else node_for_a_release("helm-e2e", folder) as found:
        yield found


def example(release: Release) -> str:
    """The runbook as it stands; a cluster of somebody's own has the image under another name."""
    return EXAMPLE.read_text().replace(image_name(), release.image)


@pytest.fixture(scope="module")
def said(release: Release) -> str:
    """What README says is done, line by line, with the test's database; and what that said."""
    said = ""
    with chdir(ROOT):
        for line in readme_commands():
            command = line.replace(PLACEHOLDER, release.database).split()
            try:
                if command[:2] == ["helm", "install"]:
                    said += release.helm.run(*command[1:], *own_image(release), seconds=1000)
                elif command[0] == "helm":
                    said += release.helm.run(*command[1:], seconds=1000)
                elif release.image != image_name() and command[-1].endswith("runbook/contract.yaml"):
                    said += release.work.run("apply", "-f", "-", given=example(release))
                else:
                    said += release.system.run(*command[1:], seconds=120)
            except AssertionError as error:
                raise AssertionError(f"{line}: {error}\n{release.words()}") from None
    return said


def own_image(release: Release) -> list[str]:
    """What README says of an image in a registry."""
    repository, _, tag = release.image.rpartition(":")
    return [] if release.image == image_name() else ["--set", f"image.repository={repository},image.tag={tag}"]


@pytest.fixture(scope="module")
def refused(release: Release, said: str) -> str:
    """A runbook that only waits for a confirmation, and what dana, who may edit and not confirm, was told."""
    for name, role in (("dana", "edit"), ("ravi", "makima-confirm")):
        release.work.run("create", "rolebinding", name, f"--clusterrole={role}", f"--user={name}")
    release.until_state("runbook", "WaitingForInput", "check")
    dana = release.person("dana")
    release.until("what dana may", lambda: dana.run("get", "contracts"))
    code, said = release.confirm(dana, "runbook", "change")
    assert code != 0
    return said


@pytest.fixture(scope="module")
def completed(release: Release, refused: str) -> dict[str, Any]:
    """The status of the runbook once ravi has confirmed each of its moves."""
    release.pass_guards(release.person("ravi"), "runbook", *MOVES)
    return release.until_state("runbook", "Completed")


def test_what_readme_says_installs_it_and_its_own_test_passes(release: Release, said: str) -> None:
    assert (len(release.pods("operator")), len(release.pods("api"))) == (2, 2)
    assert "all is well" in said, said
    assert "rights of operator: everything that it calls is allowed" in said
    assert "contract.makima.dev/runbook created" in said
    level = release.system.get("namespace", SYSTEM)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    assert level == "restricted", "pods would run anyway"


def test_a_runbook_goes_to_its_end_and_only_who_may_confirm_moves_it(
    release: Release, refused: str, completed: dict[str, Any]
) -> None:
    assert "UNAUTHORIZED" in refused
    assert [item["phase"] for item in completed["deliverables"]] == ["check", "change", "verify"]
    assert release.work.get("supervisor", "runbook")["status"]["incarnation"] == 1
    # `podName` is of a life that goes on; the pod of one that ended by itself stays for its log.
    ended = "the end of its pod"
    release.until(ended, lambda: release.work.get("pod", "runbook-1")["status"]["phase"] == "Succeeded", seconds=60)


def test_whoever_has_a_kubeconfig_reads_what_kubernetes_does_not_keep(
    release: Release, completed: dict[str, Any]
) -> None:
    """The supervisor's last heartbeat comes after the contract's last move, when its process has ended."""
    release.until("the APIService", lambda: _available(release))
    path = f"/apis/monitor.makima.dev/v1alpha1/namespaces/{WORK}/contracts/runbook/supervisor/status"
    dana = release.person("dana")
    release.until(
        "the last heartbeat", lambda: json.loads(dana.run("get", "--raw", path))["state"] == "completed", seconds=60
    )


def carried_while(release: Release, name: str, kill: Callable[[dict[str, Any]], None]) -> None:
    """A runbook of this name, carried to its end while pod after pod of makima is killed; its history is whole."""
    ravi = release.person("ravi")
    text = example(release).partition("---\n")[2].replace("name: runbook\nspec", f"name: {name}\nspec")
    release.work.run("apply", "-f", "-", given=text)
    victims = [pod for component in ("operator", "api") for pod in release.pods(component)]
    assert len(victims) == 4
    moves = [*MOVES, None]
    for victim, move in zip(victims, moves, strict=True):
        kill(victim)
        if move is not None:
            release.pass_guards(ravi, name, move)
    release.until_state(name, "Completed")
    release.all_ready()
    release.assert_history(name)


@pytest.mark.usefixtures("completed")
def test_every_pod_is_deleted_in_turn_and_nothing_is_lost_or_doubled(release: Release) -> None:
    def delete(pod: dict[str, Any]) -> None:
        release.system.run("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force", "--wait=false")

    carried_while(release, "second", delete)


@pytest.mark.usefixtures("completed")
def test_every_pod_is_killed_in_turn_where_the_node_runs_it_the_supervisors_too(release: Release) -> None:
    if release.sandbox.node is None:
        pytest.skip(BEHIND)
    carried_while(release, "third", release.kill_pod)
    ravi = release.person("ravi")
    text = example(release).partition("---\n")[2].replace("name: runbook\nspec", "name: fourth\nspec")
    release.work.run("apply", "-f", "-", given=text)
    release.until_state("fourth", "WaitingForInput", "check")
    for life, move in enumerate(MOVES, start=1):
        release.kill_pod(release.work.get("pod", f"fourth-{life}"))
        release.until(f"life {life + 1}", lambda life=life: _incarnation(release, "fourth") == life + 1)  # type: ignore[misc]
        release.pass_guards(ravi, "fourth", move)
    release.until_state("fourth", "Completed")
    release.assert_history("fourth")
    assert release.work.get("supervisor", "fourth")["status"]["restarts"] == len(MOVES)


def _incarnation(release: Release, name: str) -> int:
    """The life whose pod runs."""
    status = release.work.get("supervisor", name).get("status", {})
    runs = status.get("podName") == f"{name}-{status.get('incarnation')}"
    return int(status.get("incarnation", 0)) if runs else 0


@pytest.mark.usefixtures("said")
def test_a_namespace_is_deleted_although_the_api_service_was_down(release: Release) -> None:
    if release.sandbox.node is None:
        pytest.skip(BEHIND)
    release.until("the APIService", lambda: _available(release))
    release.system.run("create", "namespace", "short-lived")
    release.kill_processes("api")
    began = time.monotonic()
    release.system.run("delete", "namespace", "short-lived", "--wait=false")
    release.until("the APIService", lambda: _available(release))
    back = time.monotonic() - began
    release.until(
        "the namespace to go", lambda: "short-lived" not in release.system.run("get", "namespaces", "-o", "name")
    )
    gone = time.monotonic() - began
    print(f"\nAPI service back after {back:.1f} s, namespace gone after {gone:.1f} s")
    assert gone < back + 60, "it hung longer than the restart"


@pytest.mark.usefixtures("completed")
def test_without_the_release_contracts_are_read_and_deleted_and_nothing_hangs(release: Release) -> None:
    release.helm.run("uninstall", "makima", "-n", SYSTEM, "--wait", "--timeout=10m", seconds=660)
    dana = release.person("dana")
    assert "runbook" in dana.run("get", "contracts")
    dana.run("delete", "contract", "runbook", "--timeout=120s", seconds=150)
    release.work.run("delete", "contracts", "--all", "--timeout=120s", seconds=150)
    release.until("supervisors to go", lambda: not release.work.run("get", "supervisors", "-o", "name").split())
    release.system.run("delete", "namespace", WORK, "--timeout=300s", seconds=330)


def _available(release: Release) -> bool:
    found = release.system.get("apiservice", "v1alpha1.monitor.makima.dev").get("status", {})
    return any(item["type"] == "Available" and item["status"] == "True" for item in found.get("conditions", ()))
