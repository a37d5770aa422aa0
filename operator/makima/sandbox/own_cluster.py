"""The user's own cluster: nothing is started or built; other people are impersonated, service accounts get a token."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from makima.sandbox.folders import SandboxError
from makima.sandbox.private_file import write_private
from makima.sandbox.server_process import ServerProcess

SERVICE_ACCOUNT = "system:serviceaccount:"


class OwnCluster:
    """A cluster that a kubeconfig names."""

    processes: tuple[ServerProcess, ...] = ()

    def __init__(self, folder: Path, kubeconfig: Path | None, context: str | None) -> None:
        self._folder, self._source, self._context = folder, kubeconfig, context
        self.kubeconfig = folder / "admin.kubeconfig"
        found = shutil.which("kubectl")
        if found is None:
            raise SandboxError("kubectl is not on PATH", "install it: the sandbox uses it with clusters of your own")
        self._kubectl, self.programs = found, Path(found).parent

    @property
    def server_url(self) -> str:
        """Where the API server is."""
        return str(self._view()["clusters"][0]["cluster"]["server"])

    def start(self) -> None:
        """Keep the chosen context as a kubeconfig of the sandbox's own, and see that the API server answers.

        Raises:
            SandboxError: no such context, or no answer.
        """
        write_private(self.kubeconfig, json.dumps(self._view()).encode())
        self._run("get", "--raw", "/readyz", "--request-timeout=10s")

    def kubeconfig_for(self, user: str, groups: tuple[str, ...] = ()) -> Path:
        """A kubeconfig that acts as this user.

        Raises:
            SandboxError: the cluster gives no token for the service account.
        """
        view = self._view()
        if user.startswith(SERVICE_ACCOUNT):
            namespace, name = user.removeprefix(SERVICE_ACCOUNT).split(":")
            token = self._run("-n", namespace, "create", "token", name, "--duration=24h").strip()
            view["users"][0]["user"] = {"token": token}
        else:
            view["users"][0]["user"] |= {"as": user, "as-groups": [*groups, "system:authenticated"]}
        file = self._folder / f"{user.replace(':', '-')}.kubeconfig"
        return write_private(file, json.dumps(view).encode())

    def stop(self) -> None:
        """Leave it as it is."""

    def _view(self) -> dict[str, Any]:
        view: dict[str, Any] = json.loads(
            self._run("config", "view", "--minify", "--flatten", "--raw", "--output=json", original=True)
        )
        return view

    def _run(self, *arguments: str, original: bool = False) -> str:
        environment = dict(os.environ)
        chosen = self._source if original else self.kubeconfig
        if chosen is not None:
            environment["KUBECONFIG"] = str(chosen)
        context = [f"--context={self._context}"] if original and self._context else []
        command = [self._kubectl, *context, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode != 0:
            raise SandboxError(f"your cluster: {done.stderr.strip()[-500:]}", "look at --kubeconfig and --context")
        return done.stdout
