"""Bearer tokens of tests' clients."""

from __future__ import annotations

from makima.client.api_transport import Token


def bearer(*tokens: str | None) -> Token:
    """The first of these; each time that one is refused, the next, as long as there is one."""
    left = list(tokens)

    async def token(refused: bool) -> str | None:
        if refused and len(left) > 1:
            left.pop(0)
        return left[0]

    return token
