"""A caller's own credential, which goes with their call to the API server and nowhere else."""

from __future__ import annotations

from typing import NoReturn


class Credential:
    """A bearer token for the length of one call: no text shows it, and nothing stores it."""

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    def authorization(self) -> str:
        """The header that carries it; for whoever forwards the call, at the moment of forwarding."""
        return f"Bearer {self._token}"

    def __repr__(self) -> str:
        return "Credential(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential is not stored")
