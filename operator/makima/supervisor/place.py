"""Which contract, where the API is, and as whom: from arguments, or from what the operator put into the pod.

| variable | |
|---|---|
| `MAKIMA_API_URL` | address of the API service, without `/api/v1` |
| `MAKIMA_CONTRACT` | `NAMESPACE/NAME` |
| `MAKIMA_INCARNATION` | number of the life that this pod is; absent for an external supervisor, which gets one |
| `MAKIMA_TOKEN_FILE` | file with the bearer token; read for every call, as the kubelet replaces it |
| `MAKIMA_CA_FILE` | certificates that the API service's one is checked against; absent: the system's |
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from makima.supervisor.credentials import Credential, TokenFile, no_credential
from makima.supervisor.errors import NotConfigured

API_URL = "MAKIMA_API_URL"
CONTRACT = "MAKIMA_CONTRACT"
INCARNATION = "MAKIMA_INCARNATION"
TOKEN_FILE = "MAKIMA_TOKEN_FILE"  # noqa: S105  # a name
CA_FILE = "MAKIMA_CA_FILE"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a supervisor reports, about what, and as whom.

    Attributes:
        incarnation: the life that a pod was started as; None = external, the API service gives one.
        ca_file: certificates to trust for the API service; None = the system's.
    """

    api_url: str
    namespace: str
    name: str
    incarnation: int | None = None
    credential: Credential = no_credential
    ca_file: Path | None = None

    @property
    def contract(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}"

    def trust(self) -> ssl.SSLContext | bool:
        """What certificates are checked with."""
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file is not None else True


def place_from(
    environment: Mapping[str, str] = os.environ,
    *,
    api_url: str | None = None,
    contract: str | None = None,
    token_file: Path | None = None,
) -> Place:
    """Arguments first, then the environment.

    Raises:
        NotConfigured: something is missing, or is not what it should be.
    """
    url = api_url or _needed(environment, API_URL, "--api")
    if not url.startswith(("http://", "https://")):
        raise NotConfigured(f"{url!r} is no address of an API service", hint="it begins with http:// or https://")
    namespace, _, name = (contract or _needed(environment, CONTRACT, "--contract")).partition("/")
    if not namespace or not name or "/" in name:
        raise NotConfigured("a contract is named NAMESPACE/NAME", hint="for example --contract default/my-contract")
    token = token_file or (Path(environment[TOKEN_FILE]) if environment.get(TOKEN_FILE) else None)
    return Place(
        api_url=url.rstrip("/"),
        namespace=namespace,
        name=name,
        incarnation=_incarnation(environment.get(INCARNATION)),
        credential=TokenFile(token) if token is not None else no_credential,
        ca_file=Path(environment[CA_FILE]) if environment.get(CA_FILE) else None,
    )


def _needed(environment: Mapping[str, str], name: str, option: str) -> str:
    if not environment.get(name):
        raise NotConfigured(f"{name} is not set", hint=f"set it, or say {option}")
    return environment[name]


def _incarnation(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text[:17]) < 1:
        raise NotConfigured(f"{INCARNATION} is {text[:40]!r}, not a number from 1", hint="unset it outside of a pod")
    return int(text[:17])
