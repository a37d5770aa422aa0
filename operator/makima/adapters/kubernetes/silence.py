"""kopf's requests end where the API server has been silent for too long, and nothing else ends with them."""

from __future__ import annotations

from typing import Any

import aiohttp

ANSWER_SECONDS = 60.0
"""Of silence before or within an answer that is no watch: as long as the API server gives itself for one."""


class SilenceNoticed:
    """A session of aiohttp's for kopf, with a limit to the silence on each socket.

    kopf 1.45 has a limit of its own for watches, an `asyncio.timeout` around the `yield` of its stream. Where that runs
    out while an object is handed over, it cancels the handing over instead (PEP 789), and the watch of this kind is
    over, for good and without a word: seen with both cores full and three seconds. A socket's limit ends the read.
    """

    def __init__(self, session: aiohttp.ClientSession, watch_seconds: float) -> None:
        self._session, self._watch_seconds = session, watch_seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def request(self, *, url: str, timeout: aiohttp.ClientTimeout, **more: Any) -> aiohttp.ClientResponse:  # noqa: ASYNC109
        """One request, as `aiohttp.ClientSession.request`.

        Raises:
            aiohttp.SocketTimeoutError: silence; also later, by a read of what was answered.
        """
        silence = self._watch_seconds if "watch=true" in url else ANSWER_SECONDS
        limits = aiohttp.ClientTimeout(total=timeout.total, sock_connect=timeout.sock_connect, sock_read=silence)
        return await self._session.request(url=url, timeout=limits, **more)
