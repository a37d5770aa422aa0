"""How supervisors are run and killed: as processes of this machine here, in pods in `tests/e2e`."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.support.api_process import make_account, token_of
from tests.support.driven import Driven
from tests.support.forked import ForkedPython
from tests.support.kube import account, bind, person

SCRIPT = Path(__file__).parent / "agent.py"
ROOT = Path(__file__).parents[3]

SETTINGS = {
    "heartbeatPeriodSeconds": 1,
    "heartbeatTimeoutSeconds": 120,
    "restart": {"maxRestarts": 100, "backoff": {"seconds": 0}},
}
"""Death is seen by the end of a pod; the timeout is only there for what nobody sees."""


class Supervisors(Protocol):
    """Runs one supervisor for each contract."""

    def for_world(self, driven: Driven, api_url: str) -> AbstractAsyncContextManager[None]:
        """Be ready for a world; all supervisors end with the block."""
        ...

    def spec(self, left_out: str = "") -> Mapping[str, Any]:
        """`spec.supervisor` of a contract; `left_out` as in `agent.py`."""
        ...

    async def begin(self, name: str, left_out: str = "") -> None:
        """See that the supervisor of this contract runs, and runs again whenever it ends before its work is done."""
        ...

    async def kill(self, name: str, life: int | None, *, whole_pod: bool) -> None:
        """SIGKILL; returns once it is dead."""
        ...

    async def words(self, name: str) -> str:
        """What it printed."""
        ...


@dataclass
class OnThisMachine:
    """Processes of this machine, each with a token of a service account that may supervise."""

    sandbox: Any
    folder: Path
    _driven: Driven | None = None
    _environment: dict[str, str] = field(default_factory=dict)
    _running: dict[str, ForkedPython] = field(default_factory=dict)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)

    @asynccontextmanager
    async def for_world(self, driven: Driven, api_url: str) -> AsyncIterator[None]:
        """A token for all of them; a keeper for each."""
        admin, namespace = driven.admin.connection, driven.admin.namespace
        self._driven = driven
        await make_account(admin, namespace, "agent")
        async with person(self.sandbox, namespace, *account(namespace, "agent")) as agent:
            for role in ("makima-supervise", "makima-view"):
                await bind(admin, agent, role)
        token = self.folder / "token"
        token.write_text(await token_of(admin, namespace, "agent"))
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKIMA_")}
        own = {"MAKIMA_API_URL": api_url, "MAKIMA_TOKEN_FILE": str(token), "WITNESS": "1", "PYTHONPATH": str(ROOT)}
        self._environment = kept | own
        try:
            yield
        finally:
            await self._end()

    async def _end(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for process in self._running.values():
            process.kill()
            process.wait()

    def spec(self, left_out: str = "") -> Mapping[str, Any]:
        """No template: they are external."""
        del left_out
        return SETTINGS

    async def begin(self, name: str, left_out: str = "") -> None:
        """Keep one running."""
        self._keepers.append(asyncio.create_task(self._keep(name, left_out)))

    async def _keep(self, name: str, left_out: str) -> None:
        """As a Deployment would."""
        assert self._driven is not None
        variables = {"MAKIMA_CONTRACT": f"{self._driven.admin.namespace}/{name}", "LEFT_OUT": left_out}
        command = [str(SCRIPT), "--take-over"]
        while True:
            process = self._start(name, command, variables)
            self._running[name] = process
            while process.poll() is None:
                await asyncio.sleep(0.02)
            if process.returncode == 0:
                return

    def _start(self, name: str, command: list[str], variables: Mapping[str, str]) -> ForkedPython:
        return ForkedPython(command, {**self._environment, **variables}, self._log(name), self._log(name))

    async def kill(self, name: str, life: int | None, *, whole_pod: bool) -> None:
        """There is no pod around it: the process is all that can be killed."""
        del life, whole_pod
        process = self._running[name]
        assert process.poll() is None, f"the supervisor of {name} had ended, so nothing was killed"
        process.kill()
        await asyncio.to_thread(process.wait)

    async def words(self, name: str) -> str:
        """Its log."""
        with contextlib.suppress(FileNotFoundError):
            return self._log(name).read_text()
        return ""

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"
