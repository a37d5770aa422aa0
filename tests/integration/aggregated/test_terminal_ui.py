"""The monitor as a person has it: their kubeconfig, the API server, makima's API behind it, Postgres, an operator.

By Textual's pilot, and at a real terminal (tmux).
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.client import Place, connect
from makima.tui.live import LiveSource
from makima.tui.screens.answer import AnswerDialog
from makima.tui.screens.confirm import ConfirmDialog
from makima.tui.screens.detail import DetailScreen
from makima.tui.screens.help import HelpScreen
from tests.support.api_process import ApiUnderTest, CallerOf, make_account, token_of
from tests.support.carried_world import address, beat
from tests.support.command_line import Stage
from tests.support.kube import RBAC
from tests.support.monitor_seat import Seat, at_live_monitor
from tests.support.terminal import Terminal, needs_tmux

pytestmark = [pytest.mark.xdist_group("aggregated"), pytest.mark.timeout(300)]

REGISTER = "/api/v1/supervisors/register"
WHO = "connie"
"""She may edit and confirm; all that she has is a client certificate."""

QUESTION = {"text": "Which database?", "options": ["Postgres", "MySQL"]}


@pytest.fixture(scope="module")
def token(driven: Stage) -> str:
    """Of the account that carries contracts."""

    async def account(admin: Connection) -> str:
        await make_account(admin, driven.namespace, "agent")
        for role in ("makima-supervise", "makima-view"):
            binding = {
                "metadata": {"name": f"agent-{role}"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": "agent", "namespace": driven.namespace}],
            }
            await admin.request("POST", f"{RBAC}/namespaces/{driven.namespace}/rolebindings", body=binding)
        return await token_of(admin, driven.namespace, "agent")

    return driven.do(account)


class Agent:
    """An external supervisor of one contract."""

    def __init__(self, stage: Stage, api: ApiUnderTest, token: str, name: str) -> None:
        self._stage, self._api, self._token, self._name = stage, api, token, name
        self._life: dict[str, Any] = {}
        self._beats = 0

    async def _caller(self, work: Callable[[CallerOf], Any]) -> Any:
        async with aiohttp.ClientSession() as session:
            return await work(CallerOf(session, self._api.url, self._token))

    async def registers(self) -> None:
        body = {"namespace": self._stage.namespace, "name": self._name, "registration_id": str(uuid4())}

        async def work(caller: CallerOf) -> Any:
            async with asyncio.timeout(60):
                while True:  # the operator makes the Supervisor in a moment
                    status, answer = await caller.call("POST", REGISTER, body)
                    if status == 200:
                        return answer
                    await asyncio.sleep(0.2)

        self._life = await self._caller(work)

    async def beats(self, activity: str) -> None:
        self._beats += 1
        body = beat(self._life, self._beats, current_activity=activity)
        await self._caller(lambda caller: caller.good("POST", address(self._life), body))

    async def asks(self) -> None:
        body = {"incarnation": self._life["incarnation"], "id": str(uuid4()), **QUESTION}
        await self._caller(lambda caller: caller.good("POST", address(self._life, "questions"), body))

    async def plans(self) -> None:
        body = {"incarnation": self._life["incarnation"], "id": "plan-document", "phase": "plan"}
        await self._caller(lambda caller: caller.good("POST", address(self._life, "deliverables"), body))


async def carried(driven: Stage, api: ApiUnderTest, token: str, name: str, **spec: Any) -> Agent:
    """A contract that an agent has registered for."""
    await asyncio.to_thread(driven.create, name, supervisor={}, **spec)
    await asyncio.to_thread(driven.until, name, lambda status: True)
    agent = Agent(driven, api, token, name)
    await agent.registers()
    return agent


@asynccontextmanager
async def sitting(driven: Stage) -> AsyncIterator[Seat]:
    """Connie in front of the monitor."""
    place = Place(kubeconfig=driven.kubeconfig(WHO), namespace=driven.namespace)
    async with connect(place) as person, at_live_monitor(LiveSource(person, (driven.namespace,))) as seat:
        await seat.sees("live: API + kube")
        yield seat


async def test_what_an_agent_does_is_seen_as_it_happens_and_what_it_needs_is_given_in_place(
    driven: Stage, api: ApiUnderTest, token: str
) -> None:
    agent = await carried(driven, api, token, "carried", phaseGuard=True)
    key = (driven.namespace, "carried")
    async with sitting(driven) as seat:
        await agent.beats("reading the specification")
        await seat.sees("reading the specification")
        await agent.beats("writing the plan")
        await seat.sees("writing the plan")
        seat.table.go_to(key)
        await seat.press("enter")
        await seat.until(lambda: isinstance(seat.app.screen, DetailScreen))
        await seat.sees("created → active")
        await seat.sees("heartbeat")

        await agent.asks()
        await seat.sees("an answer: Which database?")
        await seat.press("a")
        await seat.opened(AnswerDialog)
        await seat.press("down", "enter")
        await seat.until(lambda: isinstance(seat.app.screen, DetailScreen))
        await seat.until(lambda: not seat.app.world.contracts[key].status.questions)

        await agent.plans()
        await seat.sees("a confirmation: plan → execute")
        await seat.press("c")
        await seat.opened(ConfirmDialog)
        await seat.press(*"yes", "enter")
        await seat.until(lambda: isinstance(seat.app.screen, DetailScreen))
        await seat.sees("plan → execute")
        await seat.until(lambda: seat.app.world.contracts[key].status.phase == "execute")
        told = [event.type for event in seat.app.world.events_of(key)]
        for kind in ("QuestionAsked", "DeliverableCompleted", "PhaseChanged"):
            assert told.count(kind) == 1, (kind, told)


async def test_filter_jump_and_help_over_what_is_really_there(driven: Stage) -> None:
    for name in ("red-one", "red-two", "blue-one"):
        await asyncio.to_thread(driven.create, name, suspend=True)
    async with sitting(driven) as seat:
        await seat.sees("blue-one")
        await seat.press("slash", *"red state:paused")
        await seat.until(lambda: seat.table.shown == 2)
        await seat.press("enter", "escape")
        await seat.press("question_mark")
        await seat.until(lambda: isinstance(seat.app.screen, HelpScreen))
        await seat.press("escape", "colon")
        await seat.press(*"blue-one")
        await seat.sees(f"{driven.namespace}/blue-one")
        await seat.press("down", "enter")
        await seat.until(lambda: isinstance(seat.app.screen, DetailScreen) and seat.app.screen.key[1] == "blue-one")
        await seat.sees("somebody to resume it")


async def test_an_api_that_is_killed_is_said_done_without_and_taken_up_again(driven: Stage, api: ApiUnderTest) -> None:
    await asyncio.to_thread(driven.create, "outlives")
    await asyncio.to_thread(driven.until, "outlives", lambda status: True)
    key = (driven.namespace, "outlives")
    async with sitting(driven) as seat:
        await seat.sees("outlives")
        await asyncio.to_thread(api.kill)
        try:
            await seat.sees("live: kube watch alone")
            await seat.sees("makima's API can't be reached")
            await asyncio.to_thread(driven.patch, "outlives", {"spec": {"suspend": True}})
            await seat.until(lambda: str(seat.app.world.contracts[key].status.state) == "Paused")
        finally:
            await asyncio.to_thread(api.start)
        await seat.sees("live: API + kube")
        await asyncio.to_thread(driven.patch, "outlives", {"spec": {"suspend": False}})
        await seat.until(lambda: str(seat.app.world.contracts[key].status.state) == "Created")
        seat.app.open_contract(key)
        await seat.sees("created → paused")
        await seat.sees("paused → created")
        text = seat.screen()
        assert text.count("created → paused") == text.count("paused → created") == 1, "each once, however it was learnt"


@contextmanager
def at_terminal(driven: Stage) -> Any:
    """Connie at a real terminal."""
    where = f"--kubeconfig {driven.kubeconfig(WHO)} --namespace {driven.namespace}"
    terminal = Terminal(140, 45, f"{sys.executable} -m makima contracts monitor {where}")
    try:
        terminal.wait_for("live: API + kube")
        yield terminal
    finally:
        terminal.close()


def beside(work: Any) -> None:
    """Something of the agent's, from beside the terminal."""
    thread = threading.Thread(target=lambda: asyncio.run(work))
    thread.start()
    thread.join(90)


@needs_tmux
def test_at_a_real_terminal(driven: Stage, api: ApiUnderTest, token: str) -> None:
    agents: list[Agent] = []

    async def begin() -> None:
        agents.append(await carried(driven, api, token, "typed", phaseGuard=True))

    beside(begin())
    (agent,) = agents
    with at_terminal(driven) as terminal:
        beside(agent.beats("thinking aloud"))
        terminal.wait_for("thinking aloud")
        terminal.press("/")
        terminal.press("-l", "typed")
        terminal.wait_for("1 shown")
        terminal.press("Enter")
        beside(agent.asks())
        terminal.wait_for("an answer: Which database?")
        terminal.press("i")
        terminal.wait_for("to look at, oldest first")
        terminal.press("Escape")
        terminal.wait_for("1 shown")  # Escape and a letter at once are another key
        terminal.press("a")
        terminal.wait_for("▸ 1) Postgres")
        terminal.press("Down")
        terminal.press("Enter")
        driven.until("typed", lambda status: not status.get("questions"))
        assert driven.get("typed")["spec"]["answers"][0]["answer"] == "MySQL"
        beside(agent.plans())
        terminal.wait_for("a confirmation: plan")
        terminal.press("c")
        terminal.wait_for("You approve exactly this version")
        terminal.press("-l", "yes")
        terminal.press("Enter")
        driven.until("typed", lambda status: status["phase"] == "execute")
        terminal.press("Enter")
        terminal.wait_for("► 2 execute")
        api.kill()
        try:
            terminal.wait_for("live: kube watch alone")
        finally:
            api.start()
        terminal.wait_for("live: API + kube")
        began = time.monotonic()
        terminal.press("q")
        terminal.wait_for("ended with 0")
        assert time.monotonic() - began < 20
