"""The chart's own Postgres on a real node: a first try with it, its pod killed, backed up, lost, restored, kept.

The tests of this file are the life of one release and run in this order. What an administrator does is read from
docs/operations/backup.md.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.kubectl import RESTRICTED
from tests.e2e.release import ROOT, SYSTEM, Release, node_for_a_release
from tests.support.helm import CHART
from tests.support.postgres_image import IMAGE, USER, write_postgres_image

pytestmark = [pytest.mark.timeout(1800), pytest.mark.exhaustive]

POD, SET = "makima-postgres-0", "statefulset/makima-postgres"
VOLUME = "postgres-data"
PLAN, DOCUMENT = {"phase": "plan", "id": "plan-document"}, {"phase": "execute", "id": "pull-request"}


class Trial(Release):
    """A release with the chart's own Postgres.

    Attributes:
        folder: where an administrator works.
        data: the volume of Postgres, on this machine.
    """

    folder: Path
    data: Path

    def install(self) -> str:
        """Install it; everything of the chart's is as it comes, but for the image and the class of the volume."""
        chosen = f"postgres.enabled=true,postgres.image={IMAGE},postgres.storage=1Gi,postgres.storageClassName={VOLUME}"
        command = ("install", "makima", str(CHART), "-n", SYSTEM, "--set", chosen, "--wait", "--timeout=15m")
        try:
            return self.helm.run(*command, seconds=960)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.words()}") from None

    def follow(self, heading: str) -> None:
        """Do what a section of the page says, as it stands."""
        page = (ROOT / "docs" / "operations" / "backup.md").read_text()
        section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
        commands = re.findall(r"^ *\$ (.*)$", section, re.MULTILINE)
        assert commands, heading
        programs = f"{self.sandbox.cluster.programs}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": programs, "KUBECONFIG": str(self.admin_file)}
        for command in commands:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
        for component in ("operator", "api"):
            self.system.run("rollout", "status", f"deployment/makima-{component}", "--timeout=600s", seconds=660)

    def events(self, name: str) -> list[str]:
        """Version, type and words of each event that Postgres has of a contract, oldest first."""
        of_it = f"contract_name = '{name}' AND version > 0"
        return self.ask(f"SELECT version || ' ' || type || ' ' || payload FROM events WHERE {of_it} ORDER BY seq")

    def rows(self) -> dict[str, str]:
        """State of each contract in the projection."""
        return dict(line.split("|") for line in self.ask("SELECT name, status FROM contracts WHERE deleted_at IS NULL"))

    def ask(self, query: str) -> list[str]:
        """Lines of psql in its pod."""
        return self.system.run("exec", POD, "--", "psql", "-U", "makima", "-At", "-c", query, "makima").splitlines()

    def contract(self, name: str) -> None:
        """A new contract, which waits for its plan."""
        body = {"apiVersion": "makima.dev/v1alpha1", "kind": "Contract", "metadata": {"name": name}}
        self.work.apply({**body, "spec": {"type": "simple"}})
        self.until_state(name, "Created", "plan")

    def finish(self, name: str) -> None:
        """Deliver everything; gives once it is Completed."""
        patch = json.dumps({"spec": {"deliverables": [PLAN, DOCUMENT]}})
        self.work.run("patch", "contract", name, "--type=merge", "-p", patch)
        self.until_state(name, "Completed")

    def until_recorded(self, name: str) -> list[str]:
        """The whole history of a contract: gapless, nothing twice."""
        version = self.status(name)["version"]
        versions = {str(number) for number in range(1, version + 1)}
        self.until(f"the history of {name}", lambda: {one.split()[0] for one in self.events(name)} == versions)
        events = self.events(name)
        assert len(events) == len(set(events)), events
        return events

    def lose_postgres(self) -> None:
        """Its pod and its data are gone; an empty one takes their place."""
        self.system.run("scale", SET, "--replicas=0")
        self.system.run("wait", "--for=delete", f"pod/{POD}", "--timeout=120s", seconds=150)
        for entry in self.data.iterdir():
            shutil.rmtree(entry)
        self.system.run("scale", SET, "--replicas=1")
        self.system.run("rollout", "status", SET, "--timeout=300s", seconds=330)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A node with both images, a volume, and the release."""
    folder = tmp_path_factory.mktemp("trial")
    with node_for_a_release("trial-e2e", folder) as found:
        release = Trial(found.sandbox, found.helm, "")
        release.folder, release.data = folder, found.sandbox.folder / VOLUME
        release.data.mkdir()
        os.chown(release.data, USER, USER)
        write_postgres_image(folder / "postgres.tar")
        assert found.sandbox.node is not None
        found.sandbox.node.load(folder / "postgres.tar")
        for tool in (release.system, release.work):
            tool.create_namespace(RESTRICTED)
        spec = {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": VOLUME,
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(release.data), "type": "Directory"},
        }
        volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": VOLUME}}
        release.system.apply({**volume, "spec": spec})
        release.install()
        yield release


def test_a_first_try_needs_no_postgres_of_ones_own(trial: Trial) -> None:
    trial.contract("first")
    trial.finish("first")
    assert trial.until_recorded("first")[0].startswith("1 ")
    said = trial.helm.run("test", "makima", "-n", SYSTEM, "--logs", seconds=300)
    assert "all is well" in said


def test_its_pod_is_killed_contracts_go_on_and_nothing_is_lost(trial: Trial, measured: Callable[[str], None]) -> None:
    before = trial.events("first")
    trial.contract("second")
    trial.until_recorded("second")
    began = time.monotonic()
    trial.kill_processes("postgres")
    trial.finish("second")
    completed = time.monotonic() - began
    trial.until("Postgres to answer", lambda: _answers(trial))
    back = time.monotonic() - began
    trial.until_recorded("second")
    trial.system.run("delete", "pod", POD, "--timeout=120s", seconds=150)
    trial.system.run("rollout", "status", SET, "--timeout=300s", seconds=330)
    trial.until("Postgres to answer", lambda: _answers(trial))
    assert trial.events("first") == before, "its volume kept what was there"
    measured(f"Postgres killed: Completed after {completed:.1f} s, Postgres back after {back:.1f} s")


def _answers(trial: Trial) -> bool:
    try:
        return bool(trial.ask("SELECT 1"))
    except AssertionError:
        return False


def test_lost_altogether_it_is_filled_from_the_cluster(trial: Trial) -> None:
    trial.follow("Back up Postgres")
    assert (trial.folder / "makima.dump").stat().st_size > 0
    trial.contract("third")
    trial.finish("third")
    trial.until_recorded("third")
    trial.lose_postgres()
    trial.follow("Postgres lost altogether")
    expected = dict.fromkeys(("first", "second", "third"), "completed")
    trial.until("all contracts in the projection", lambda: trial.rows() == expected)
    trial.contract("fourth")
    trial.finish("fourth")
    trial.until_recorded("fourth")


def test_a_backup_brings_the_history_back_and_newer_contracts_are_there_as_they_stand(trial: Trial) -> None:
    trial.follow("Postgres from a backup")
    for name in ("first", "second"):
        trial.until_recorded(name)
    expected = dict.fromkeys(("first", "second", "third", "fourth"), "completed")
    trial.until("all contracts in the projection", lambda: trial.rows() == expected)
    trial.contract("fifth")
    trial.finish("fifth")
    trial.until_recorded("fifth")


def test_secret_and_volume_outlive_the_release_and_the_next_one_finds_the_history(trial: Trial) -> None:
    before = trial.events("second")
    trial.helm.run("uninstall", "makima", "-n", SYSTEM, "--wait", "--timeout=10m", seconds=660)
    kept = trial.system.run("get", "secret,pvc", "-o", "name").split()
    assert {"secret/makima-database", f"persistentvolumeclaim/data-{POD}"} <= set(kept)
    trial.install()
    assert trial.events("second") == before
    trial.contract("sixth")
    trial.finish("sixth")
    trial.until_recorded("sixth")
