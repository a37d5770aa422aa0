"""A release of makima on a real node of its own, and who looks at it: what tests of the chart in the cluster share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from makima.sandbox import Sandbox, start
from makima.sandbox.control_plane import FURTHER_OPTIONS
from makima.sandbox.go_build import Progress
from makima.sandbox.helm import HELMS, find_helm
from makima.sandbox.image.makima_image import image_name, write_makima_image
from tests.e2e.kubectl import RESTRICTED, Kubectl
from tests.support.forwarding import forwarded
from tests.support.helm import Helm

SYSTEM, WORK = "makima-system", "work"
ROOT = Path(__file__).parents[2]
MOVES = ("StatusChanged", "PhaseChanged")
SECONDS = 600.0
"""For steps that take some seconds on a machine with nothing else to do."""


class Release:
    """The release on its node, and who looks at it.

    Attributes:
        database: address of its Postgres as pods reach it.
        image: makima's, as nodes find it.
    """

    def __init__(self, sandbox: Sandbox, helm: Helm, database: str, image: str = "") -> None:
        self.database, self.image = database, image or image_name()
        self.sandbox, self.helm = sandbox, helm
        programs, self.admin_file = sandbox.cluster.programs, sandbox.cluster.kubeconfig
        self.system = Kubectl(programs / "kubectl", self.admin_file, SYSTEM)
        self.work = Kubectl(programs / "kubectl", self.admin_file, WORK)

    def person(self, name: str) -> Kubectl:
        """Somebody who is no administrator."""
        return Kubectl(self.system.program, self.sandbox.cluster.kubeconfig_for(name), WORK)

    def prepare(self, database: str | None = None) -> None:
        """Both namespaces, restricted, and the Secret with a database's address: what is there before the chart."""
        for tool in (self.system, self.work):
            tool.create_namespace(RESTRICTED)
        self.system.run(
            "create", "secret", "generic", "makima-database", f"--from-literal=url={database or self.database}"
        )

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
        """SIGKILL of every process of all these pods at once."""
        for pod in self.pods(component):
            self.kill_pod(pod)

    def kill_pod(self, pod: Mapping[str, Any]) -> None:
        """SIGKILL of every process of a pod, where the node runs it: nobody is told before."""
        assert self.sandbox.node is not None
        for container in pod["status"]["containerStatuses"]:
            for pid in self.sandbox.node.container_pids(container["containerID"]):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def all_ready(self) -> None:
        """Wait until operator and API service are as many as they have to be."""
        for component in ("operator", "api"):
            self.system.run("rollout", "status", f"deployment/makima-{component}", "--timeout=600s", seconds=660)

    def recorded(self, name: str) -> list[tuple[int, str, str]]:
        """Version, type and words of each event in the history, once the last version is there."""
        query = (
            "SELECT version, type, payload::text FROM events"
            " WHERE namespace = %s AND contract_name = %s AND version > 0 ORDER BY seq"
        )
        found: list[tuple[int, str, str]] = []

        def complete() -> bool:
            found[:] = self.query(query, (WORK, name))
            return self.status(name)["version"] in {version for version, *_ in found}

        self.until("the whole history", complete)
        return found

    def assert_history(self, name: str) -> int:
        """Each version of a contract is in the history, and what happened in it once; gives how many there are."""
        events = self.recorded(name)
        assert len(set(events)) == len(events), f"doubled: {events}"
        moves = [event[:2] for event in events if event[1] in MOVES]
        assert len(set(moves)) == len(moves), f"moved twice at one version: {events}"
        versions = sorted({version for version, *_ in events})
        assert versions == list(range(1, self.status(name)["version"] + 1)), f"lost: {events}"
        return len(versions)

    def query(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Ask its Postgres."""
        with psycopg.connect(self.sandbox.database.url) as connection:
            return connection.execute(query.encode(), values).fetchall()


@contextmanager
def node_for_a_release(name: str, folder: Path) -> Iterator[Release]:
    """A node of this block's own with makima's image, and a Postgres outside of it; nothing is installed yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FURTHER_OPTIONS, "--enable-aggregator-routing=true")
        sandbox = start(f"{name}-{os.getpid()}", node=True, ends_with=os.getpid())
    try:
        assert sandbox.node is not None
        archive = folder / "makima.tar"
        write_makima_image(archive)
        sandbox.node.load(archive)
        archive.unlink()
        helm = Helm(find_helm(HELMS[0].version, Progress()), folder, sandbox.cluster.kubeconfig)
        postgres = urlsplit(sandbox.database.url)
        with forwarded(str(sandbox.node.addresses.host), int(postgres.port or 0)) as port:
            place = f"{sandbox.node.addresses.host}:{port}{postgres.path}"
            yield Release(sandbox, helm, f"postgresql://{postgres.username}:{postgres.password}@{place}")
    finally:
        sandbox.stop()
