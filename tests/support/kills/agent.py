"""Carries a contract with the phases `plan` and `execute`, as an agent does: freely decided, and nothing said twice.

What it decided is in its saved state and nowhere else, so a life that lost some of it is seen to do things again. It
runs in a pod or as a process of this machine. Its environment, besides what names the contract:

| variable | |
|---|---|
| `WITNESS` | anything: each message that was acknowledged is told to whoever stands before the API |
| `LEFT_OUT` | a save point that is taken out: `message` (kept for the next call) or `state` (never saved) |
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import aiohttp

from makima.models.enums import CommandKind, SupervisorState
from makima.models.wire.commands import Command
from makima.models.wire.memory import SaveState
from makima.supervisor import Supervisor
from makima.supervisor.memory import Memory

PATIENCE_SECONDS = 300.0
QUESTION, ANSWERS = "Which way?", ("left", "right")


class Agent:
    """One life."""

    def __init__(self, supervisor: Supervisor, witness: Callable[[str], Awaitable[None]]) -> None:
        self.supervisor, self._witness = supervisor, witness
        self.decided: dict[str, Any] = supervisor.picture.agent

    async def carry(self) -> None:
        """Do what is left to do."""
        picture = self.supervisor.picture
        if picture.phase == "plan":
            await self._plan()
            await self._move("execute")
        if not picture.completed:
            await self._execute()
            await self._move("Completed")

    async def _plan(self) -> None:
        await self._say("began")
        await self._survey()
        answer = await self._ask()
        await self._say("answered", answer)
        document = await self._decide("document")
        await self.supervisor.complete_deliverable("plan-document", phase="plan", uri=f"memo:{document}")
        await self._say("planned", document)
        await self._once("kept", self.supervisor.checkpoint)

    async def _execute(self) -> None:
        self.supervisor.report(SupervisorState.WORKING, activity="building", progress=50)
        await self.supervisor.heartbeat()
        await self._say("built")
        await self.supervisor.complete_deliverable("pull-request", phase="execute")

    async def _survey(self) -> None:
        """A task, once: under which key is its own decision."""
        key = await self._decide("task")
        if "surveyed" not in self.decided:
            task = await self.supervisor.spawn_task("survey", key=key)
            await self.supervisor.complete_task(task.id, "surveyed")
            self.decided["surveyed"] = True

    async def _ask(self) -> str:
        """A question, once; the pod may be gone before the answer is there."""
        question = await self.supervisor.ask_question(QUESTION, ANSWERS, key=await self._decide("question"))
        return await question.answer

    async def _move(self, to: str) -> None:
        picture = self.supervisor.picture
        while not picture.completed and picture.phase != to:
            answer = await self.supervisor.ask_advance(to)
            if answer.outcome != "success":
                await asyncio.sleep(0.5)

    async def _decide(self, what: str) -> str:
        """A decision, saved before anything is done about it."""
        if what not in self.decided:
            self.decided[what] = uuid4().hex
            await self.supervisor.save()
        return str(self.decided[what])

    async def _once(self, what: str, act: Callable[[], Awaitable[object]]) -> None:
        if what not in self.decided:
            await act()
            self.decided[what] = True

    async def _say(self, step: str, more: str = "") -> None:
        """A message that no other life would have said in these words."""
        if self.supervisor.knows(step):
            return
        text = f"{step} {more} {uuid4().hex}"
        await self.supervisor.on_llm_response(text, key=step)
        await self._witness(text)


def leave_out(save_point: str) -> None:
    """Take a save point out of the client library, in this process alone."""
    original = Memory._send

    async def remember(self: Memory, messages: Any, *, deadline: float) -> None:
        self._waiting += messages

    async def send(self: Memory, method: str, path: str, call: Any, deadline: float) -> None:
        if not isinstance(call, SaveState):
            await original(self, method, path, call, deadline)

    if save_point == "message":
        Memory.remember = remember  # type: ignore[method-assign]
    elif save_point == "state":
        Memory._send = send  # type: ignore[method-assign]


async def tell_witness(supervisor: Supervisor, text: str) -> None:
    """Say that this message was acknowledged; repeated until it is heard."""
    if not os.environ.get("WITNESS"):
        return
    told = {"contract": str(supervisor.life.contract_id), "text": text}
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(f"{supervisor.place.api_url}/witness", json=told) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def live(*, take_over: bool) -> int:
    """One life: from registering to the end of the contract, or to being told to stop."""
    async with Supervisor(patience=PATIENCE_SECONDS, take_over=take_over) as supervisor:
        found = supervisor.restoration
        print(f"life {supervisor.life.incarnation}: {found.outcome}, {found.reason}", flush=True)
        work = asyncio.create_task(Agent(supervisor, lambda text: tell_witness(supervisor, text)).carry())

        async def stop(_: Command) -> None:
            if not supervisor.picture.completed:
                work.cancel()

        supervisor.on(CommandKind.STOP, stop)
        await asyncio.wait({work})
        if not work.cancelled():
            work.result()
        supervisor.report(SupervisorState.COMPLETED if supervisor.picture.completed else SupervisorState.INTERRUPTED)
        await supervisor.heartbeat()
        await supervisor.settled(deadline=5)
    return 0


if __name__ == "__main__":
    leave_out(os.environ.get("LEFT_OUT", ""))
    sys.exit(asyncio.run(live(take_over="--take-over" in sys.argv)))
