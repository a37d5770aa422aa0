"""Supervisors in real pods that the operator makes: carried to the end, killed, suspended, released, given up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from makima.errors import NotFound
from makima.sandbox import Sandbox
from tests.e2e.conftest import world_of_pods
from tests.e2e.in_pods import InPods
from tests.support.kills.agent import ANSWERS
from tests.support.kills.run import Run
from tests.support.kills.suite import PHASES
from tests.support.kills.world import World, contract_id
from tests.support.kube import Body, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900), pytest.mark.xdist_group("node")]

SECONDS = 180.0
"""For a step that takes one or two seconds on a machine that has nothing else to do."""


class Carried:
    """A contract, and what can be seen of its supervisor."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        assert isinstance(world.supervisors, InPods)
        self.pods = world.supervisors

    @classmethod
    async def by_agent(cls, world: World, **supervisor: Any) -> Carried:
        """A contract that `agent.py` carries, with these settings."""
        assert isinstance(world.supervisors, InPods)
        return await cls.created(world, **{**world.supervisors.spec(), **supervisor})

    @classmethod
    async def created(cls, world: World, **supervisor: Any) -> Carried:
        """A contract with this supervisor."""
        name = f"work-{uuid4().hex[:6]}"
        body = await world.driven.create(name, phases=PHASES, supervisor=supervisor)
        world.crossing.expect(Run(name, contract_id(body), []))
        return cls(world, name)

    async def contract(self, state: str) -> Body:
        """Wait for a state of the contract."""
        return await self.world.driven.until(self.name, lambda status: status.get("state") == state, SECONDS)

    async def supervisor(self, what: str, holds: Callable[[Body], bool]) -> Body:
        """Wait until Supervisor.status is as wanted."""
        found: list[Body] = []

        async def seen() -> bool:
            found[:] = [{}]
            with suppress(NotFound):
                body = await self.world.driven.admin.get(self.name, "supervisors")
                found[:] = [body.get("status", {})]
            return holds(found[0])

        try:
            await until(what, seen, SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}: {found} {await self.pods.words(self.name)}") from None
        return found[0]

    async def alive(self, reason: str) -> Body:
        """Wait for a reason of the condition Alive."""
        return await self.supervisor(reason, lambda status: alive_reason(status) == reason)

    async def life(self, number: int, came_back: str) -> Body:
        """Wait until this life is heard of, and until it is shown how it came back."""

        def there(now: Body) -> bool:
            restored = now.get("restoration", {}).get("outcome")
            return (now.get("incarnation"), alive_reason(now), restored) == (number, "Heartbeating", came_back)

        return await self.supervisor(f"life {number}, {came_back}", there)

    async def asks(self) -> Body:
        """Wait for the question; gives it."""
        found = await self.world.driven.until(self.name, lambda status: status.get("questions"), SECONDS)
        question: Body = found["questions"][0]
        return question

    async def answer(self, question: Body) -> None:
        """What a person says."""
        answers = [{"questionId": question["id"], "answer": ANSWERS[0]}]
        await self.world.driven.admin.patch_spec(self.name, answers=answers)

    async def suspend(self, value: bool) -> None:
        """Supervisor.spec.suspend."""
        await self.world.driven.admin.patch({"spec": {"suspend": value}}, self.name, "supervisors")


def alive_reason(status: Body) -> str:
    """Reason of the condition Alive."""
    return next((str(item["reason"]) for item in status.get("conditions", ()) if item["type"] == "Alive"), "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(installed_node: Sandbox, image: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The world of this module."""
    async with world_of_pods(installed_node, image, tmp_path_factory.mktemp("world")) as found:
        yield found


async def test_a_contract_is_carried_to_its_end_by_a_pod(there: World) -> None:
    work = await Carried.by_agent(there)
    await work.answer(await work.asks())
    done = await work.contract("Completed")
    assert [item["id"] for item in done["deliverables"]] == ["plan-document", "pull-request"]
    status = await work.supervisor("its last words", lambda now: now.get("state") == "Completed")
    assert (status["incarnation"], status["restarts"], status["podName"]) == (1, 0, f"{work.name}-1")
    pod = await work.pods.pod(f"{work.name}-1")
    assert pod is not None
    assert pod["metadata"]["uid"] == status["podUid"]
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "Supervisor"


async def test_a_deleted_pod_is_followed_by_one_that_asks_nothing_again(there: World) -> None:
    work = await Carried.by_agent(there)
    question = await work.asks()
    work.pods.kubectl.run("delete", "pod", f"{work.name}-1", "--wait=false")
    await work.life(2, "QuestionsRedelivered")
    assert await work.asks() == question
    await work.answer(question)
    await work.contract("Completed")
    assert await work.pods.pod(f"{work.name}-1") is None


async def test_a_killed_process_is_followed_by_a_pod_that_goes_on_where_it_was(there: World) -> None:
    work = await Carried.by_agent(there)
    question = await work.asks()
    await work.pods.kill(work.name, 1, whole_pod=False)
    status = await work.life(2, "QuestionsRedelivered")
    assert (status["restarts"], status["podName"]) == (1, f"{work.name}-2")
    assert "at message 1 of 1" in status["restoration"]["message"]
    await work.answer(question)
    await work.contract("Completed")


@pytest.mark.exhaustive
async def test_suspend_frees_the_pod_and_resume_goes_on(there: World) -> None:
    work = await Carried.by_agent(there)
    question = await work.asks()
    await work.suspend(True)
    await work.alive("Suspended")
    await work.pods.until_gone(f"{work.name}-1")
    await work.suspend(False)
    status = await work.life(2, "QuestionsRedelivered")
    assert status["restarts"] == 0
    await work.answer(question)
    await work.contract("Completed")


async def test_a_pod_that_may_go_while_a_person_is_asked_comes_back_with_the_answer(there: World) -> None:
    work = await Carried.by_agent(there, whileWaiting="Release")
    question = await work.asks()
    await work.alive("Released")
    await work.pods.until_gone(f"{work.name}-1")
    await work.answer(question)
    await work.contract("Completed")
    status = await work.supervisor("the second life", lambda now: now.get("incarnation") == 2)
    assert status["restarts"] == 0


@pytest.mark.exhaustive
async def test_a_spent_budget_fails_the_contract(there: World) -> None:
    pods = there.supervisors
    assert isinstance(pods, InPods)
    template = pods.template("python", "-c", "raise SystemExit(3)")
    work = await Carried.created(there, template=template, restart={"maxRestarts": 2, "backoff": {"seconds": 0}})
    status = await work.contract("Failed")
    assert "restart budget spent: 2 restarts; the last life ended with exit code 3" in status["failureReason"]
    assert (await work.alive("GivenUp"))["incarnation"] == 3


@pytest.mark.exhaustive
async def test_an_exit_code_with_a_rule_fails_the_contract_at_once(there: World) -> None:
    pods = there.supervisors
    assert isinstance(pods, InPods)
    rules = [{"action": "FailContract", "operator": "In", "exitCodes": [42]}]
    template = pods.template("python", "-c", "raise SystemExit(42)")
    work = await Carried.created(there, template=template, restart={"rules": rules})
    status = await work.contract("Failed")
    assert "exit code 42" in status["failureReason"]
    assert (await work.alive("GivenUp"))["incarnation"] == 1
