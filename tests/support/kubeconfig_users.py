"""People with nothing but a kubeconfig, and kubectl with it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from makima.sandbox import Sandbox
from makima.sandbox.kubeconfig import write_kubeconfig

SECONDS = 120
EXEC = "client.authentication.k8s.io/v1"


@dataclass(frozen=True)
class KubectlUser:
    """Somebody with a kubeconfig."""

    name: str
    kubectl: Path
    kubeconfig: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """kubectl, as this person; a home of their own, so that no discovery of others is cached."""
        command = [str(self.kubectl), f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.kubeconfig}.cache"]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)

    def raw(self, path: str) -> Any:
        """`kubectl get --raw`, of something that can be had."""
        done = self.run("get", "--raw", path)
        assert done.returncode == 0, (path, done.stderr)
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> str:
        """What kubectl says about a command that is refused."""
        done = self.run(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def credential(self) -> dict[str, Any]:
        """How the kubeconfig authenticates."""
        found: dict[str, Any] = yaml.safe_load(self.kubeconfig.read_text())["users"][0]["user"]
        return found


def by_certificate(sandbox: Sandbox, user: str, groups: tuple[str, ...] = ()) -> KubectlUser:
    """Somebody with a client certificate."""
    return KubectlUser(user, _kubectl(sandbox), sandbox.cluster.kubeconfig_for(user, groups))


def by_token(sandbox: Sandbox, folder: Path, name: str, token: str) -> KubectlUser:
    """Somebody with a token."""
    admin = yaml.safe_load(sandbox.cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    file = folder / f"{name}.kubeconfig"
    write_kubeconfig(file, admin["server"], Path(admin["certificate-authority"]), {"token": token})
    return KubectlUser(name, _kubectl(sandbox), file)


def by_exec_plugin(sandbox: Sandbox, folder: Path, name: str, status: dict[str, str]) -> KubectlUser:
    """Somebody whose kubeconfig asks a plugin, which answers with this `status` of an ExecCredential."""
    answer = {"apiVersion": EXEC, "kind": "ExecCredential", "status": status}
    plugin = folder / f"{name}-plugin"
    plugin.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    plugin.chmod(0o700)
    admin = yaml.safe_load(sandbox.cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    file = folder / f"{name}.kubeconfig"
    settings = {"apiVersion": EXEC, "command": str(plugin), "interactiveMode": "Never"}
    write_kubeconfig(file, admin["server"], Path(admin["certificate-authority"]), {"exec": settings})
    return KubectlUser(name, _kubectl(sandbox), file)


def _kubectl(sandbox: Sandbox) -> Path:
    return sandbox.cluster.programs / "kubectl"
