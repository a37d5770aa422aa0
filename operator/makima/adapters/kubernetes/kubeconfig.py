"""kubeconfig files, read as the client library reads them, but for the credentials of exec plugins.

The library asks a plugin once, and goes on without a credential where that fails. Plugins of clouds give tokens for
minutes, and a monitor runs for hours: here a credential is asked for again when its time is over, or when the API
server knows it no more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, list_kube_config_contexts
from kubernetes.aio.config.kube_config import FileOrData, KubeConfigLoader, KubeConfigMerger

from makima.adapters.kubernetes.exec_credential import CERTIFICATE, Plugin, has_certificate
from makima.errors import ClusterUnavailable

DEFAULT = "~/.kube/config"
"""Where kubectl looks if KUBECONFIG names nothing."""

EARLY = timedelta(seconds=10)
"""Renewed so long before its time is over: a call takes a moment to arrive."""


class Loader(KubeConfigLoader):
    """Reads a kubeconfig as the library does, and asks its plugin as kubectl does."""

    expires: datetime | None = None

    @property
    def has_plugin(self) -> bool:
        """Whether the user's credential comes from a plugin."""
        return self._user is not None and "exec" in self._user and self.provider is None

    async def load_from_exec_plugin(self) -> bool:
        """Ask the plugin; called by the library.

        Raises:
            ConfigException: it gives no credential.
        """
        user, cluster = self._user, self._cluster
        assert user is not None, "the library asks only where there is a user"
        assert cluster is not None, "the library wants one in every context"
        plugin = Plugin(user["exec"].value, cluster.value, Path(user.path).parent)
        status = await plugin.credential()
        for name in ("token", "cert_file", "key_file"):
            self.__dict__.pop(name, None)
        if status.get("token"):
            self.token = f"Bearer {status['token']}"
        if has_certificate(status):
            self.cert_file, self.key_file = (_file(status, name) for name in CERTIFICATE)
        self.expires = _moment(status.get("expirationTimestamp"))
        return True

    async def renew(self, configuration: Configuration) -> None:
        """Ask again, and let the next calls go with what comes.

        Raises:
            ConfigException: it gives no credential.
        """
        await self.load_from_exec_plugin()
        self._set_config(configuration)  # type: ignore[no-untyped-call]  # the library has no types

    def is_over(self, now: datetime) -> bool:
        """Whether the credential's time is over."""
        return self.expires is not None and now >= self.expires - EARLY


def namespace_of_context(file: Path | None, context: str | None) -> str | None:
    """The namespace that a context names.

    Args:
        file: the kubeconfig; None = where kubectl would look.
        context: its name; None = the current one.

    Returns:
        None where it names none, or there is no such file or context.
    """
    try:
        contexts, current = list_kube_config_contexts(str(file) if file is not None else None)
    except (ConfigException, OSError):
        return None
    named = next((item for item in contexts if item["name"] == context), None)
    chosen = named if context is not None else current
    found = (chosen or {}).get("context", {}).get("namespace")
    return str(found) if found else None


class Renewal:
    """Asks an exec plugin for another credential, once for all who want one."""

    def __init__(self, loader: Loader) -> None:
        self._loader, self._lock = loader, asyncio.Lock()
        self.number = 0

    async def renewed(self, configuration: Configuration, refused: int | None = None) -> int:
        """The number of the credential that is in the configuration now.

        Args:
            refused: number of one that the API server does not know (any more).

        Raises:
            ClusterUnavailable: the plugin gives none.
        """
        async with self._lock:
            if refused == self.number or self._loader.is_over(datetime.now(UTC)):
                try:
                    await self._loader.renew(configuration)
                except (ConfigException, OSError) as error:
                    raise ClusterUnavailable(str(error)) from None
                self.number += 1
            return self.number


def loader_of(kubeconfig: Path | None, context: str | None) -> Loader:
    """The loader of this kubeconfig; None = of those that kubectl would read.

    Raises:
        ConfigException: there is none, or it can't be read.
    """
    paths = str(kubeconfig) if kubeconfig is not None else os.environ.get("KUBECONFIG") or DEFAULT
    named = [Path(path).expanduser() for path in paths.split(os.pathsep) if path]
    if not any(path.exists() for path in named):
        raise ConfigException(f"there is no kubeconfig {' or '.join(map(str, named))}")
    try:
        files = KubeConfigMerger(paths)
    except (yaml.YAMLError, TypeError, AttributeError, ValueError, KeyError) as error:
        raise ConfigException(f"{paths} is no kubeconfig: {error}") from None
    return Loader(config_dict=files.config, config_base_path=None, active_context=context)  # type: ignore[no-untyped-call]


def _file(status: Mapping[str, Any], name: str) -> str:
    found = FileOrData(status, None, data_key_name=name, base64_file_content=False)
    return str(found.as_file())


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)
