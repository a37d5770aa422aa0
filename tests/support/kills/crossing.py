"""Stands between supervisors and two API replicas, like a Service, and kills somebody at chosen calls.

A call of a life that was killed is not forgotten: it is delivered when the next life has registered, as a packet would
be that was long under way. It has to be refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from aiohttp import web

from makima.models.wire.memory import checksum
from tests.support.kills.plans import Kill, Victim
from tests.support.kills.run import Call, Run

PASSED_ON = ("Authorization", "Content-Type", "Accept")
ANSWER_SECONDS = 60.0


Killer = Callable[[Run, Kill, int | None], Awaitable[None]]
"""Kills the victim; returns once it is dead. The last argument is the life that made the call."""


async def _nobody(run: Run, kill: Kill, life: int | None) -> None:
    raise AssertionError(f"{run.name}: nobody carries out {kill} of life {life}")


@dataclass
class Crossing:
    """The runs that go through here.

    Attributes:
        replicas: base URLs of the API replicas that are there now.
        kill: who kills.
        back: is told which victim has registered again, and when it had been killed.
        url: where supervisors find this.
    """

    replicas: Callable[[], Sequence[str]] = list
    kill: Killer = _nobody
    back: Callable[[Victim, float], None] = lambda _victim, _since: None
    url: str = ""
    _runs: dict[UUID, Run] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def expect(self, run: Run) -> None:
        """Let this run through."""
        self._runs[run.contract_id] = run

    @asynccontextmanager
    async def serve(self, address: str) -> AsyncIterator[Crossing]:
        """Listen at this address of the machine."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_post("/witness", self._witness)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, address, 0).start()
        self.url = f"http://{address}:{runner.addresses[0][1]}"
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as self._session:
            try:
                yield self
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await runner.cleanup()

    async def _witness(self, request: web.Request) -> web.Response:
        told = await request.json()
        self._runs[UUID(told["contract"])].acknowledged.append(told["text"])
        return web.Response()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        call = Call.read(request.method, request.path_qs, headers, await request.read())
        run = self._run_of(call)
        if run is None:
            return web.json_response({"error": {"code": "NOT_FOUND", "message": "no run of the test"}}, status=404)
        point = run.point(call)
        kill = await run.due(point, call.life)
        if call.life in run.over:  # sent before its life ended beside this call
            if kill is not None:
                run.done_with(kill, None, happened=False)
            run.late.append(call)
            return _lost(request)
        if kill is None:
            return _answer(*await self._carried(run, call, point))
        return await self._at(kill, run, call, point, request)

    async def _at(self, kill: Kill, run: Run, call: Call, point: str, request: web.Request) -> web.StreamResponse:
        """The call that this kill belongs to: it arrives before or after."""
        happened = False
        try:
            found = await self._carried(run, call, point) if kill.when == "after" else None
            if found is not None and found[0] >= 300:
                return _answer(*found)
            await self.kill(run, kill, call.life)
            run.done.append(kill)
            happened = True
        finally:
            run.done_with(kill, call.life, happened=happened)
        if found is not None:
            return _lost(request)
        if kill.takes_the_life:
            run.late.append(call)
            return web.Response(status=503)
        return _answer(*await self._carried(run, call, point))

    def _run_of(self, call: Call) -> Run | None:
        if call.path.endswith("/register"):
            name = call.content["name"]
            return next((run for run in self._runs.values() if run.name == name), None)
        try:
            return self._runs.get(UUID(call.path.split("/")[4]))
        except (IndexError, ValueError):
            return None

    async def _carried(self, run: Run, call: Call, point: str) -> tuple[int, bytes]:
        """Deliver the call to the replica whose turn it is, or to the other one."""
        status, body = await self.deliver(run, call)
        run.took(call, point, status)
        if point == "register" and status < 300:
            if run.ended is not None:
                self.back(*run.ended)
                run.ended = None
            self._later(self._outdated(run, call, json.loads(body)))
        return status, body

    async def deliver(self, run: Run, call: Call) -> tuple[int, bytes]:
        """Status and body of the answer; 503 where no replica takes the call."""
        run.calls += 1
        replicas = list(self.replicas())
        for turn in range(len(replicas)):
            found = await self._sent(replicas[(run.calls + turn) % len(replicas)], call)
            if found is not None:
                return found
        return 503, b""

    async def _sent(self, replica: str, call: Call) -> tuple[int, bytes] | None:
        try:
            async with self._session.request(
                call.method, replica + call.path, headers=call.headers, data=call.body or None
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def _outdated(self, run: Run, call: Call, registered: Any) -> None:
        """A life has registered: what those before it have under way arrives now, at both replicas."""
        life = registered["incarnation"]
        run.lives.append(life)
        waiting = [late for late in run.late if late.life is not None and late.life < life]
        run.late = [late for late in run.late if late not in waiting]
        tokens = (run.headers.get(life - 1, call.headers), call.headers)
        made_up = [item for token in tokens for item in _writes_of(life - 1, token, registered) if life > 1]
        for late in (*waiting, *made_up):
            for replica in self.replicas():
                found = await self._sent(replica, late)
                if found is not None and found[0] != 503:
                    run.refusals.append((f"{late.method} {late.path} of life {late.life}", found[0]))

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _writes_of(life: int, headers: dict[str, str], registered: Any) -> list[Call]:
    """What a life that is over would write if it were still there, in the very places that come next."""
    root = f"/api/v1/contracts/{registered['contract_id']}/supervisor"
    restoration = registered["restoration"]
    now = datetime.now(UTC).isoformat()
    message = {"id": str(uuid4()), "role": "assistant", "content": f"zombie {life}", "timestamp": now}
    append = {"first_sequence": restoration["message_sequence"] + 1, "messages": [message]}
    state = {
        "task_id": registered["task_id"],
        "revision": restoration["revision"] + 1,
        "payload": "{}",
        "checksum": checksum("{}"),
    }
    asked = {"id": str(uuid4()), "text": "zombie?"}
    writes = [("POST", "/messages", append), ("PUT", "/state", state), ("POST", "/questions", asked)]
    return [
        Call.read(method, root + path, headers, json.dumps({"incarnation": life, **body}).encode())
        for method, path, body in writes
    ]


def _answer(status: int, body: bytes) -> web.Response:
    headers = {"Retry-After": "1"} if status == 503 else {}
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _lost(request: web.Request) -> web.StreamResponse:
    """The answer never arrives: the connection ends."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
