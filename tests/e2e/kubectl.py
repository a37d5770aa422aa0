"""kubectl as tests use it: apply, wait for a condition with a deadline, read back."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
"""Labels of a namespace in which the API server lets in only what the level `restricted` allows."""

RESTRICTED_CONTAINER = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl for one namespace."""

    program: Path
    kubeconfig: Path
    namespace: str

    def run(self, *arguments: str, given: str | None = None, seconds: float = 60) -> str:
        """Run it; what it says on failure is the test's failure."""
        command = [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=seconds, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def create_namespace(self, labels: Mapping[str, str]) -> None:
        """Make the namespace, and wait for the service account that each pod there needs."""
        metadata = {"name": self.namespace, "labels": dict(labels)}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        self.run("wait", "--for=create", "serviceaccount/default", "--timeout=60s", seconds=90)

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Apply objects."""
        self.run("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)}))

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Read an object."""
        found: dict[str, Any] = json.loads(self.run("get", kind, name, "--output=json"))
        return found

    def wait_pod(self, name: str, holds: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        """Wait until a pod's status is as wanted; shows the status if it does not come to that."""
        deadline = time.monotonic() + seconds
        while True:
            status: dict[str, Any] = self.get("pod", name)["status"]
            if holds(status):
                return status
            assert time.monotonic() < deadline, f"pod {name} after {seconds} s: {json.dumps(status, indent=1)}"
            time.sleep(0.1)

    def wait_log(self, name: str, text: str, seconds: float = 60) -> None:
        """Wait until a pod has written this: that it runs does not say how far it is."""
        deadline = time.monotonic() + seconds
        while text not in self.run("logs", name):
            assert time.monotonic() < deadline, f"pod {name} has not written {text!r} within {seconds} s"
            time.sleep(0.1)


def pod(name: str, image: str, *command: str, **more: Any) -> dict[str, Any]:
    """A pod of one container that the level `restricted` admits."""
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "Never",
        "command": list(command),
        "securityContext": RESTRICTED_CONTAINER,
    }
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **more}, "spec": spec}
