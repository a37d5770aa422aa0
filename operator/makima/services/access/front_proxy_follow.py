"""Following what the cluster says about its front proxy: read at start, and again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from makima.errors import MakimaError
from makima.services.access.front_proxy import FrontProxy, NoFrontProxy

log = logging.getLogger(__name__)


class FrontProxySource(Protocol):
    """Who can read ConfigMap `kube-system/extension-apiserver-authentication`."""

    async def read(self) -> Mapping[str, str]:
        """Its data.

        Raises:
            ClusterError: not to be had.
        """
        ...


class FrontProxyFollow:
    """The front proxy as of the last look.

    Looks, instead of a watch: one small read from the API server's cache each time, nothing that can hang, and a new
    authority is believed long before the old one ends.

    Args:
        on_look: told the front proxy after each look.

    Attributes:
        current: whom to believe; None = nobody, as long as the cluster has not said whom.
    """

    def __init__(self, source: FrontProxySource, seconds: float, on_look: Callable[[FrontProxy | None], None]) -> None:
        self._source, self._seconds, self._on_look = source, seconds, on_look
        self.current: FrontProxy | None = None
        self._said = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look now, and from now on."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Read once. While the API server is away, what it said last holds; where it names nobody, nobody does."""
        try:
            self.current = FrontProxy.from_config_map(await self._source.read())
            self._say("")
        except NoFrontProxy as error:
            self.current = None
            self._say(str(error))
        except MakimaError as error:
            self._say(str(error))
        self._on_look(self.current)

    async def _follow(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("the front proxy could not be looked at")
            await asyncio.sleep(self._seconds if self.current is not None else min(self._seconds, 1))

    def _say(self, trouble: str) -> None:
        """Once for each trouble, not with each look."""
        if trouble and trouble != self._said:
            log.warning("aggregated API: %s", trouble)
        self._said = trouble
