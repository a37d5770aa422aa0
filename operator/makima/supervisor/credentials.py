"""Where the bearer token of a call comes from; asked for every call, as tokens expire and are replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from makima.supervisor.errors import NotConfigured

AUDIENCE = "makima.dev"
"""Audience that a token for the API service needs (ADR 0006, "Who may call")."""

LIFE_SECONDS = 3600

Credential = Callable[[], Awaitable[str | None]]
"""Gives the token for the next call; None: no token."""


async def no_credential() -> str | None:
    """Calls go without a token."""
    return None


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file that somebody else keeps fresh, as the kubelet does for a projected token."""

    path: Path

    async def __call__(self) -> str | None:
        """Read it.

        Raises:
            NotConfigured: it can't be read, or is empty.
        """
        try:
            token = (await asyncio.to_thread(self.path.read_text, encoding="ascii")).strip()
        except (OSError, ValueError) as error:
            raise NotConfigured(f"the token can't be read: {error}", hint="see MAKIMA_TOKEN_FILE") from None
        if not token:
            raise NotConfigured(f"the token file {self.path} is empty", hint="see MAKIMA_TOKEN_FILE")
        return token


class ServiceAccountToken:
    """Tokens for a service account, asked for with a kubeconfig (TokenRequest), renewed at four fifths of their life.

    For a supervisor outside of the cluster: the token in a kubeconfig is for the API server, not for `makima.dev`.
    """

    def __init__(
        self, namespace: str, account: str, kubeconfig: Path | None = None, context: str | None = None
    ) -> None:
        self._path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        self._kubeconfig = kubeconfig
        self._context = context
        self._token = ""
        self._renew_at = 0.0
        self._lock = asyncio.Lock()

    async def __call__(self) -> str | None:
        """The token, a new one where it is time.

        Raises:
            makima.errors.ClusterError: the API server did not give one.
        """
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                self._token = await self._ask()
                self._renew_at = time.monotonic() + 0.8 * LIFE_SECONDS
            return self._token

    async def _ask(self) -> str:
        # a second and 50 MB: only for those who use it
        from makima.adapters.kubernetes.configuration import load_configuration  # noqa: PLC0415  # slow, and rarely wanted
        from makima.adapters.kubernetes.connection import Connection  # noqa: PLC0415  # slow, and rarely wanted

        configuration = await load_configuration(self._kubeconfig, self._context)
        async with Connection(configuration, "makima-supervisor") as connection:
            spec = {"audiences": [AUDIENCE], "expirationSeconds": LIFE_SECONDS}
            answer = await connection.request("POST", self._path, body={"spec": spec})
        return str(answer["status"]["token"])
