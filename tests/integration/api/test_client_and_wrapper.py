"""The client library and `makima supervise` against the real API service: the double of their own tests is not all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from makima.models.supervision import StoredQuestion
from makima.supervisor import Place, Superseded, Supervisor, TokenFile
from makima.supervisor.wrapper import exit_codes
from tests.support.api_double import ApiDouble
from tests.support.api_process import ApiUnderTest
from tests.support.carried_world import CarriedWorld
from tests.support.wrapper_process import SCRIPTED, wrappers


@pytest.fixture
async def contract_id(world: CarriedWorld) -> UUID:
    """A contract that an external supervisor may carry."""
    return await world.contract("work", supervisor={"heartbeatPeriodSeconds": 1})


@pytest.fixture
def place(world: CarriedWorld, api: ApiUnderTest, agent: str, tmp_path: Path) -> Place:
    """Where it reports, with its token."""
    token = tmp_path / "token"
    token.write_text(agent)
    return Place(api.url, world.namespace, "work", credential=TokenFile(token))


async def _answer(world: CarriedWorld, contract_id: UUID, text: str) -> None:
    """What the operator does with `spec.answers`."""
    async with asyncio.timeout(30):
        while not (asked := await world.store.work.questions(contract_id)):
            await asyncio.sleep(0.05)
    answer: StoredQuestion = replace(asked[0], answer=text, answered_by="ed", answered_at=datetime.now(UTC))
    await world.store.work.answer([answer])


async def test_a_life_reports_everything_and_the_next_goes_on_from_there(
    world: CarriedWorld, contract_id: UUID, place: Place
) -> None:
    await world.drive("work")
    with pytest.raises(Superseded):  # noqa: PT012  # it ends the block, wherever that is
        async with Supervisor(place) as first:
            await first.on_llm_response("I plan.")
            task = await first.spawn_task("build")
            await first.complete_task(task.id, "built")
            question = await first.ask_question("Deploy?", ["yes", "no"], key="deploy")
            await _answer(world, contract_id, "yes")
            async with asyncio.timeout(5):
                assert await question.answer == "yes"
            await first.complete_deliverable("plan-document", uri="https://example.test/plan")
            assert await first.checkpoint() == 1
            async with Supervisor(place, take_over=True) as second:
                assert [message.content for message in second.restoration.messages] == ["I plan."]
                assert (await second.ask_question("Deploy?", ["yes", "no"], key="deploy")).answer.result() == "yes"
                await second.on_llm_response("And on.")
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
    stored = await world.store.memory.messages(contract_id, 0, 10)
    assert [(message.content, message.incarnation) for message in stored] == [("I plan.", 1), ("And on.", 2)]
    assert len(await world.store.work.questions(contract_id)) == len(await world.store.work.tasks(contract_id)) == 1


async def test_a_killed_wrapper_is_followed_by_one_that_repeats_nothing(
    world: CarriedWorld, contract_id: UUID, place: Place, agent: str, tmp_path: Path
) -> None:
    await world.drive("work")
    named = ApiDouble(contract_id=contract_id, url=place.api_url)
    options = ("--contract", place.contract, "--token-file", str(tmp_path / "token"), "--grace", "1")
    with wrappers(named, tmp_path) as start:
        first = start(*SCRIPTED, options=options)
        async with asyncio.timeout(30):
            while not await world.store.work.questions(contract_id):
                await asyncio.sleep(0.05)
        first.kill()
        second = start(*SCRIPTED, options=options)
        await _answer(world, contract_id, "yes")
        assert await second.ended(60) == exit_codes.OK
    said = [message.content for message in await world.store.memory.messages(contract_id, 0, 20)]
    assert said == ["I plan.", "I built.", "Deployed: yes.", "Done."]
    assert len(await world.store.work.tasks(contract_id)) == len(await world.store.work.questions(contract_id)) == 1
    session = await world.store.registry.session(contract_id)
    assert session is not None and (session.incarnation, session.state.snake) == (2, "completed")
