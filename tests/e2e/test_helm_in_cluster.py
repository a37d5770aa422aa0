"""The chart on a real node: installed from chart and image, at work, with every pod killed, and gone again.

The tests of this file are the life of one release and run in this order.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from makima.sandbox import Sandbox, start
from makima.sandbox.control_plane import FURTHER_OPTIONS
from makima.sandbox.go_build import Progress
from makima.sandbox.helm import HELMS, find_helm
from makima.sandbox.image.makima_image import write_makima_image
from tests.e2e.kubectl import Kubectl
from tests.support.forwarding import forwarded
from tests.support.helm import Helm

pytestmark = [pytest.mark.timeout(1500), pytest.mark.xdist_group("node")]

SYSTEM, WORK = "makima-system", "work"
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "runbook" / "contract.yaml"
MOVES = (("check", "change"), ("change", "verify"), ("verify", "Completed"))
PLACEHOLDER = "postgresql://USER:PASSWORD@HOST:5432/makima"
SECONDS = 600.0
"""For steps that take some seconds on a machine with nothing else to do."""


def readme_commands() -> list[str]:
    """The lines of README's section on installing."""
    section = (ROOT / "README.md").read_text().partition("## Install on a cluster")[2].partition("\n## ")[0]
    return re.findall(r"^\$ (.*)$", section, re.MULTILINE)


class Release:
    """The release on its node, and who looks at it."""

    def __init__(self, sandbox: Sandbox, helm: Helm) -> None:
        self.sandbox, self.helm, self.said = sandbox, helm, ""
        programs, self.admin_file = sandbox.cluster.programs, sandbox.cluster.kubeconfig
        self.system = Kubectl(programs / "kubectl", self.admin_file, SYSTEM)
        self.work = Kubectl(programs / "kubectl", self.admin_file, WORK)

    def install(self, database: str) -> None:
        """What README says, line by line; with this database."""
        for line in readme_commands():
            command = line.replace(PLACEHOLDER, database).split()
            try:
                if command[0] == "helm":
                    self.said += self.helm.run(*command[1:], seconds=1000)
                else:
                    self.said += self.system.run(*command[1:], seconds=120)
            except AssertionError as error:
                raise AssertionError(f"{line}: {error}\n{self.words()}") from None

    def person(self, name: str) -> Kubectl:
        """Somebody who is no administrator."""
        return Kubectl(self.system.program, self.sandbox.cluster.kubeconfig_for(name), WORK)

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.work.get("contract", name).get("status", {})
        return found

    def pods(self, component: str) -> list[dict[str, Any]]:
        listed = json.loads(
            self.system.run("get", "pods", "-l", f"app.kubernetes.io/component={component}", "-o", "json")
        )
        return [item for item in listed["items"] if "deletionTimestamp" not in item["metadata"]]

    def until(self, what: str, holds: Callable[[], object], seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}: {self.words()}"
            time.sleep(0.2)

    def until_state(self, name: str, state: str, phase: str | None = None) -> dict[str, Any]:
        seen: list[dict[str, Any]] = []

        def there() -> bool:
            seen[:] = [self.status(name)]
            return seen[0].get("state") == state and phase in {None, seen[0].get("phase")}

        self.until(f"{name} to be {state} in {phase}", there)
        return seen[0]

    def words(self) -> str:
        """What pods say, for a test that fails."""
        said = []
        for tool in (self.system, self.work):
            with suppress(AssertionError, subprocess.TimeoutExpired):
                said.append(tool.run("get", "pods,contracts,supervisors", "-o", "wide"))
                for name in tool.run("get", "pods", "-o", "name").split():
                    said += [name, tool.run("logs", name, "--all-containers", "--tail=8")]
        return "\n".join(said)

    def pass_guards(self, who: Kubectl, name: str, *moves: tuple[str, str]) -> None:
        """Confirm each move once its phase has delivered; an approval of what changed meanwhile dies: again then."""
        for phase, to in moves:
            self.until(
                f"{name} to leave {phase} for {to}", lambda phase=phase, to=to: self._moved(who, name, phase, to)
            )  # type: ignore[misc]

    def _moved(self, who: Kubectl, name: str, phase: str, to: str) -> bool:
        now = self.status(name)
        waits = now.get("state") == "WaitingForInput" and now.get("phase") == phase
        if waits and phase in {item["phase"] for item in now.get("deliverables", ())}:
            self.confirm(who, name, to)
        return now.get("phase") == to or now.get("state") == "Completed"

    def confirm(self, who: Kubectl, name: str, to: str) -> tuple[int, str]:
        """What a person does to let a contract pass its guard."""
        advance = {"to": to, "expectedVersion": self.status(name)["version"], "confirmed": True}
        patch = json.dumps({"spec": {"advance": advance}})
        command = [
            str(who.program),
            f"--kubeconfig={who.kubeconfig}",
            "-n",
            WORK,
            "patch",
            "contract",
            name,
            "--type=merge",
        ]
        done = subprocess.run([*command, "-p", patch], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    def kill_processes(self, component: str) -> None:
        """SIGKILL of every process of these pods, as the node would lose them."""
        assert self.sandbox.node is not None
        for pod in self.pods(component):
            for container in pod["status"]["containerStatuses"]:
                for pid in self.sandbox.node.container_pids(container["containerID"]):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """A node of this module's own, a Postgres outside of it, and the release."""
    folder = tmp_path_factory.mktemp("helm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FURTHER_OPTIONS, "--enable-aggregator-routing=true")
        sandbox = start(f"helm-e2e-{os.getpid()}", node=True, ends_with=os.getpid())
    try:
        assert sandbox.node is not None
        archive = folder / "makima.tar"
        write_makima_image(archive)
        sandbox.node.load(archive)
        archive.unlink()
        helm = Helm(find_helm(HELMS[0].version, Progress()), folder, sandbox.cluster.kubeconfig)
        found = Release(sandbox, helm)
        postgres = urlsplit(sandbox.database.url)
        with forwarded(str(sandbox.node.addresses.host), int(postgres.port or 0)) as port:
            place = f"{sandbox.node.addresses.host}:{port}{postgres.path}"
            with chdir(ROOT):
                found.install(f"postgresql://{postgres.username}:{postgres.password}@{place}")
            yield found
    finally:
        sandbox.stop()


def test_what_readme_says_installs_it_and_its_own_test_passes(release: Release) -> None:
    assert (len(release.pods("operator")), len(release.pods("api"))) == (2, 2)
    assert "all is well" in release.said, release.said
    assert "rights of operator: everything that it calls is allowed" in release.said
    assert "contract.makima.dev/runbook created" in release.said
    level = release.system.get("namespace", SYSTEM)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    assert level == "restricted", "pods would run anyway"


def test_a_runbook_goes_to_its_end_and_only_who_may_confirm_moves_it(release: Release) -> None:
    for name, role in (("dana", "edit"), ("ravi", "makima-confirm")):
        release.work.run("create", "rolebinding", name, f"--clusterrole={role}", f"--user={name}")
    release.until_state("runbook", "WaitingForInput", "check")
    dana, ravi = release.person("dana"), release.person("ravi")
    release.until("what dana may", lambda: dana.run("get", "contracts"))
    code, said = release.confirm(dana, "runbook", "change")
    assert code != 0
    assert "UNAUTHORIZED" in said
    release.pass_guards(ravi, "runbook", *MOVES)
    status = release.until_state("runbook", "Completed")
    assert [item["phase"] for item in status["deliverables"]] == ["check", "change", "verify"]
    supervisor = release.work.get("supervisor", "runbook")["status"]
    assert supervisor["podName"] == "runbook-1"


def test_whoever_has_a_kubeconfig_reads_what_kubernetes_does_not_keep(release: Release) -> None:
    release.until("the APIService", lambda: _available(release))
    path = f"/apis/monitor.makima.dev/v1alpha1/namespaces/{WORK}/contracts/runbook/supervisor/status"
    assert json.loads(release.person("dana").run("get", "--raw", path))["state"] == "completed"


def test_every_pod_is_killed_in_turn_and_nothing_is_lost_or_doubled(release: Release) -> None:
    ravi = release.person("ravi")
    text = EXAMPLE.read_text().partition("---\n")[2].replace("name: runbook\nspec", "name: second\nspec")
    release.work.run("apply", "-f", "-", given=text)
    victims = [pod["metadata"]["name"] for component in ("operator", "api") for pod in release.pods(component)]
    assert len(victims) == 4
    moves = [*MOVES, None]
    for victim, move in zip(victims, moves, strict=True):
        release.system.run("delete", "pod", victim, "--grace-period=0", "--force", "--wait=false")
        if move is not None:
            release.pass_guards(ravi, "second", move)
    release.until_state("second", "Completed")
    for component in ("operator", "api"):
        release.system.run("rollout", "status", f"deployment/makima-{component}", "--timeout=600s", seconds=660)
    events = recorded(release, "second")
    assert len(set(events)) == len(events), "doubled"
    assert sorted({version for version, _ in events}) == list(range(1, release.status("second")["version"] + 1)), "lost"


def recorded(release: Release, name: str) -> list[tuple[int, str]]:
    """Version and type of each event in the history, once the last version is there."""
    query = "SELECT version, type FROM events WHERE namespace = %s AND contract_name = %s AND version > 0 ORDER BY seq"
    found: list[tuple[int, str]] = []

    def complete() -> bool:
        with psycopg.connect(release.sandbox.database.url) as connection:
            found[:] = connection.execute(query, (WORK, name)).fetchall()
        return release.status(name)["version"] in {version for version, _ in found}

    release.until("the whole history", complete)
    return found


def test_a_namespace_is_deleted_although_the_api_service_was_down(release: Release) -> None:
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


def test_without_the_release_contracts_are_read_and_deleted_and_nothing_hangs(release: Release) -> None:
    release.helm.run("uninstall", "makima", "-n", SYSTEM, "--wait", "--timeout=10m", seconds=660)
    dana = release.person("dana")
    assert "runbook" in dana.run("get", "contracts")
    dana.run("delete", "contract", "runbook", "--timeout=120s", seconds=150)
    release.work.run("delete", "contract", "second", "--timeout=120s", seconds=150)
    release.until("supervisors to go", lambda: not release.work.run("get", "supervisors", "-o", "name").split())
    release.system.run("delete", "namespace", WORK, "--timeout=300s", seconds=330)


def _available(release: Release) -> bool:
    found = release.system.get("apiservice", "v1alpha1.monitor.makima.dev").get("status", {})
    return any(item["type"] == "Available" and item["status"] == "True" for item in found.get("conditions", ()))
