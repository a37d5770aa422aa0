"""Who takes part, and what each may do: people with kubeconfigs of their own, and the supervisor's service account."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from narration import DemoError, console

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE, CONTRACT = "demo", "release-notes"
ACCOUNT = "release-notes"
ROLES = {"dana": ("makima-edit",), "ravi": ("makima-edit", "makima-confirm")}


class Person:
    """Somebody with a kubeconfig of their own."""

    def __init__(self, name: str, kubeconfig: Path) -> None:
        self.name, self.kubeconfig = name, kubeconfig

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}

    def run(self, *command: str, show: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command as this person, and show both if wanted."""
        if show:
            console.print(f"[bold cyan]{self.name}$[/] {shlex.join(command)}", markup=True)
        environment = {**self.environment, "COLUMNS": str(console.width)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
        if show:
            style = None if done.returncode == 0 else "red"
            console.print((done.stdout + done.stderr).rstrip(), style=style, markup=False)
        return done

    def kubectl(self, *arguments: str, show: bool = True) -> subprocess.CompletedProcess[str]:
        """kubectl in the demo's namespace."""
        return self.run("kubectl", "-n", NAMESPACE, *arguments, show=show)

    def contracts(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`kubectl contracts …` in the demo's namespace."""
        return self.run("kubectl", "contracts", *arguments, "-n", NAMESPACE)

    def status(self, kind: str = "contract", name: str = CONTRACT) -> dict[str, Any]:
        """Status of the contract, or of its supervisor, now; empty while there is none."""
        done = self.kubectl("get", kind, name, "-o", "json", show=False)
        return (json.loads(done.stdout).get("status") or {}) if done.returncode == 0 else {}


def prepare(admin: Person) -> None:
    """A namespace, what each person may do in it, and a service account that may supervise and nothing else."""
    made = [admin.run("kubectl", "create", "namespace", NAMESPACE, show=False)]
    made.append(admin.kubectl("create", "serviceaccount", ACCOUNT, show=False))
    bindings = [(f"--user={user}", user, role) for user, roles in ROLES.items() for role in roles]
    bindings.append((f"--serviceaccount={NAMESPACE}:{ACCOUNT}", ACCOUNT, "makima-supervise"))
    for subject, name, role in bindings:
        binding = ("create", "rolebinding", f"{name}-{role}", f"--clusterrole={role}", subject)
        made.append(admin.kubectl(*binding, show=False))
    failed = [done.stderr for done in made if done.returncode and "AlreadyExists" not in done.stderr]
    if failed:
        raise DemoError("".join(failed))


def write_token(admin: Person, file: Path) -> None:
    """A token of the supervisor's account, for makima's API and for nothing else, as a kubelet would project it.

    Raises:
        DemoError: the API server gave none.
    """
    done = admin.kubectl("create", "token", ACCOUNT, "--audience=makima.dev", "--duration=1h", show=False)
    if done.returncode:
        raise DemoError(done.stderr)
    file.touch(mode=0o600)
    file.write_text(done.stdout)
