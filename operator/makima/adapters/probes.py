"""/healthz, /readyz and /metrics over HTTP: for the kubelet's probes, for Prometheus, and for people with curl."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

Check = Callable[[], str | None]
"""None if all is well, else what is wrong."""

LONGEST_REASON = 500
"""Characters of a failed check's reason."""

GRACE_SECONDS = 1.0
"""How long an answer that is under way may take when the server stops."""

log = logging.getLogger(__name__)


class ProbeServer:
    """Two listeners, since a probe may be open to the kubelet where metrics are open to Prometheus only."""

    def __init__(self, healthz: Mapping[str, Check], readyz: Mapping[str, Check], metrics: Callable[[], bytes]) -> None:
        self._healthz, self._readyz, self._metrics = healthz, readyz, metrics
        self._runners: list[web.AppRunner] = []

    async def start(self, bind: str, health_port: int, metrics_port: int) -> tuple[int, int]:
        """Listen.

        Args:
            bind: address of this machine.
            health_port: of /healthz and /readyz; 0 = any free one.
            metrics_port: of /metrics; 0 = any free one.

        Returns:
            The two ports.

        Raises:
            OSError: a port is taken, or the address is not this machine's.
        """
        checks = {"/healthz": _checking(self._healthz), "/readyz": _checking(self._readyz)}
        try:
            return await self._listen(checks, bind, health_port), await self._listen(
                {"/metrics": self._answer_metrics}, bind, metrics_port
            )
        except OSError:
            await self.stop()
            raise

    async def _listen(self, routes: Mapping[str, Answer], bind: str, port: int) -> int:
        app = web.Application()
        app.add_routes([web.get(path, answer) for path, answer in routes.items()])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_SECONDS)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, bind, port).start()
        chosen: int = runner.addresses[0][1]
        return chosen

    async def _answer_metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def stop(self) -> None:
        """Stop listening; may be called twice, or without a start."""
        while self._runners:
            await self._runners.pop().cleanup()


Answer = Callable[[web.Request], Awaitable[web.Response]]


def _checking(checks: Mapping[str, Check]) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return _report(checks)

    return answer


def _report(checks: Mapping[str, Check]) -> web.Response:
    """A line per check, in the kube-apiserver's words: 200 if all are well, else 503."""
    found = {name: _reason(name, check) for name, check in checks.items()}
    lines = [f"[+]{name} ok" if why is None else f"[-]{name} failed: {why}" for name, why in found.items()]
    status = 200 if all(why is None for why in found.values()) else 503
    return web.Response(text="".join(f"{line}\n" for line in lines), status=status)


def _reason(name: str, check: Check) -> str | None:
    try:
        why = check()
    except Exception as error:  # a check that can't tell has not succeeded
        log.exception("check %s raised", name)
        why = f"{type(error).__name__}: {error}"
    return None if why is None else " ".join(why.split())[:LONGEST_REASON]
