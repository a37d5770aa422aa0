"""An exec plugin (`users[].user.exec` of a kubeconfig), asked for a credential as kubectl asks it.

Protocol: client.authentication.k8s.io/v1. What a plugin says when it fails is the error.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.aio.config import ConfigException

SECONDS = 120.0
"""A plugin may ask a person to log in."""

KINDS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
CERTIFICATE = ("clientCertificateData", "clientKeyData")

SPOKEN = 500
"""Characters of what a plugin wrote about its failure."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin as the kubeconfig names it.

    Attributes:
        settings: `users[].user.exec`.
        cluster: `clusters[].cluster`, which is told to plugins that want it.
        folder: that of the kubeconfig; a command with a slash is looked for from there.
    """

    settings: Mapping[str, Any]
    cluster: Mapping[str, Any]
    folder: Path

    async def credential(self) -> Mapping[str, Any]:
        """Its answer: `status` of an ExecCredential.

        Raises:
            ConfigException: it gives none; says why.
        """
        if self.settings.get("apiVersion") not in KINDS:
            raise ConfigException(f"{self._name}: exec.apiVersion is none of {', '.join(KINDS)}")
        out = await self._output()
        try:
            answer = json.loads(out)
            status = answer["status"]
            spoken = answer["apiVersion"]
        except (ValueError, TypeError, KeyError):
            raise ConfigException(f"{self._name}: what it wrote is no ExecCredential with a status") from None
        if spoken != self.settings["apiVersion"]:
            raise ConfigException(f"{self._name}: answered in {spoken}, the kubeconfig says another apiVersion")
        if not isinstance(status, dict) or not (status.get("token") or has_certificate(status)):
            raise ConfigException(f"{self._name}: its answer has neither a token nor a certificate with its key")
        return status

    @property
    def _name(self) -> str:
        return f"exec plugin {self.settings.get('command')}"

    async def _output(self) -> bytes:
        asks = self._asks()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(),
                env=self._environment(asks),
                stdin=None if asks else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=None if asks else asyncio.subprocess.PIPE,
            )
        except OSError as error:
            hint = f"; {self.settings['installHint']}" if self.settings.get("installHint") else ""
            raise ConfigException(f"{self._name} can't be started: {error.strerror or error}{hint}") from None
        try:
            async with asyncio.timeout(SECONDS):
                out, said = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise ConfigException(f"{self._name} gave no answer within {SECONDS:g} s") from None
        if process.returncode != 0:
            told = (said or b"").decode(errors="replace").strip()[-SPOKEN:]
            raise ConfigException(f"{self._name} ended with {process.returncode}: {told or 'it says nothing'}")
        return out

    def _asks(self) -> bool:
        """Whether the plugin may talk to the person at the terminal."""
        mode = self.settings.get("interactiveMode") or "IfAvailable"
        there = sys.stdin is not None and sys.stdin.isatty()
        if mode == "Always" and not there:
            raise ConfigException(f"{self._name} asks a person, and there is no terminal (interactiveMode: Always)")
        return there and mode != "Never"

    def _command(self) -> list[str]:
        command = str(self.settings.get("command") or "")
        if os.sep in command and not Path(command).is_absolute():
            command = str(self.folder / command)
        return [command, *(str(word) for word in self.settings.get("args") or ())]

    def _environment(self, asks: bool) -> dict[str, str]:
        own = {item["name"]: str(item["value"]) for item in self.settings.get("env") or ()}
        spec: dict[str, Any] = {"interactive": asks}
        if self.settings.get("provideClusterInfo"):
            spec["cluster"] = self._cluster_info()
        asked = {"apiVersion": self.settings["apiVersion"], "kind": "ExecCredential", "spec": spec}
        return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(asked)}

    def _cluster_info(self) -> dict[str, Any]:
        names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        found = {name: self.cluster[name] for name in names if name in self.cluster}
        authority = self.cluster.get("certificate-authority")
        if authority and "certificate-authority-data" not in found:
            found["certificate-authority-data"] = base64.b64encode((self.folder / authority).read_bytes()).decode()
        for item in self.cluster.get("extensions") or ():
            if item.get("name") == "client.authentication.k8s.io/exec":
                found["config"] = item.get("extension")
        return found


def has_certificate(status: Mapping[str, Any]) -> bool:
    """Whether the credential has a client certificate with its key."""
    return all(status.get(name) for name in CERTIFICATE)
