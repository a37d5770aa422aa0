"""Helm and its chart as tests use them: render, install, and what it says when it refuses."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.yaml_documents import documents

CHART = Path(__file__).parents[2] / "helm" / "makima"
EVERYTHING: dict[str, Any] = {
    "postgres": {"enabled": True},
    "monitoring": {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True, "runbookUrl": "https://wiki/alerts"},
        "dashboard": {"enabled": True},
    },
    "config": {"contracts": {"stale_threshold_minutes": 5}},
}
"""Everything that can be switched on at the same time."""

EXTERNAL: dict[str, Any] = {"database": {"existingSecret": {"name": "db"}}}
"""The least that an install needs: where Postgres is."""

Objects = dict[tuple[str, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Helm:
    """One Helm, which knows nothing of the user's own files.

    Attributes:
        program: the file.
        home: where it may keep what it likes.
        kubeconfig: of the cluster; None for what needs none.
    """

    program: Path
    home: Path
    kubeconfig: Path | None = None

    def call(self, *arguments: str, values: Mapping[str, Any] | None = None, seconds: float = 120) -> tuple[int, str]:
        """Run it.

        Returns:
            Exit code, and all that it said.
        """
        done = self._done(arguments, values, seconds)
        return done.returncode, done.stdout + done.stderr

    def run(self, *arguments: str, values: Mapping[str, Any] | None = None, seconds: float = 120) -> str:
        """Run it; what it says on failure is the test's failure.

        Returns:
            What it printed; without its warnings, which would be no YAML.
        """
        done = self._done(arguments, values, seconds)
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def _done(
        self, arguments: Sequence[str], values: Mapping[str, Any] | None, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        given = ["--values", "-"] if values is not None else []
        return subprocess.run(
            [str(self.program), *arguments, *given],
            input=json.dumps(values or {}),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def render(self, values: Mapping[str, Any], *, name: str = "makima", namespace: str = "makima-system") -> Objects:
        """The chart's objects by kind and name."""
        text = self.run("template", name, str(CHART), "--namespace", namespace, values=values)
        found = documents(text)
        objects = {(item["kind"], item["metadata"]["name"]): item for item in found}
        in_many = {"Role", "RoleBinding"}
        assert len(objects) == len(found) or {item["kind"] for item in found} & in_many, "two objects of one name"
        return objects

    def _environment(self) -> dict[str, str]:
        own = {f"HELM_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        cluster = {"KUBECONFIG": str(self.kubeconfig) if self.kubeconfig else "/nonexistent"}
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), **own, **cluster}


def pod_specs(objects: Objects) -> dict[str, dict[str, Any]]:
    """Specs of all pods that the objects make, by Kind/name."""
    found = {}
    for (kind, name), item in objects.items():
        if kind in {"Deployment", "StatefulSet", "Job"}:
            found[f"{kind}/{name}"] = item["spec"]["template"]["spec"]
        elif kind == "Pod":
            found[f"{kind}/{name}"] = item["spec"]
    return found
