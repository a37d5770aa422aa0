"""Runs contracts, kills at their save points, and looks whether anything was lost or doubled."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from makima.errors import MakimaError
from makima.models.supervision import StoredMessage, StoredQuestion, StoredTask
from tests.support.kills import table
from tests.support.kills.agent import ANSWERS, QUESTION
from tests.support.kills.plans import POINTS, Kill, runs
from tests.support.kills.run import Run
from tests.support.kills.world import World, contract_id
from tests.support.own_postgres import open_stores

STEPS = ["began", "answered", "planned", "built"]
"""First words of the conversation's messages."""

PHASES = [
    {"name": "plan", "deliverables": [{"id": "plan-document"}], "gate": {"autoAdvance": False}},
    {"name": "execute", "deliverables": [{"id": "pull-request"}], "gate": {"autoAdvance": False}},
]
RUN_SECONDS = float(os.environ.get("MAKIMA_KILLS_RUN_SECONDS", "600"))
LAST = POINTS[-1]
"""Once the move has been made nobody repeats this call: if it was answered with an error all the same, or its caller
ended with the contract meanwhile, the kill that belongs there comes in another contract."""

TRIES = 3
UNSEEN = frozenset({("register", "before"), ("advance Completed", "after")})
"""Where no registered life ends, or none follows as the contract is completed."""

REFUSED = frozenset({401, 403, 409})
"""What a life that is over may hear: its token is gone, its pod is another one, it is superseded."""


class Lost(AssertionError):
    """Something was lost, doubled, or let in that had to be refused."""


Record = Callable[[str, object], None]
"""pytest's `record_property`."""


async def all_survived(world: World, kills: Sequence[Kill], seed: int, record: Record, *, in_each: int = 5) -> None:
    """Make these kills and look at every contract; see that all kills happened, and that dead lives tried to write.

    Raises:
        AssertionError: a kill did not happen; and see `run_all`.
    """
    done: list[Run] = []
    plans, tries = runs(kills, seed, in_each), 0
    try:
        while plans and tries < TRIES:
            ended = await run_all(world, plans, seed, len(done))
            done, tries = done + ended, tries + 1
            plans = [[kill] for run in ended for kill in run.kills]
    finally:
        table.say(record, world.kills, seed, len(done), world.away)
    assert sorted(map(str, world.kills)) == sorted(map(str, kills))
    assert any(run.refusals for run in done), "no life that was over tried to write"


async def run_all(world: World, plans: list[list[Kill]], seed: int, first: int, *, at_once: int = 6) -> list[Run]:
    """Carry a contract for each plan until its kills have happened; each run is looked at when it is over.

    Args:
        world: where.
        plans: kills, for each contract.
        seed: how they were spread over contracts; told.
        first: number of the first contract.
        at_once: contracts that run at the same time; a kill of what they share meets all of them.

    Returns:
        The runs; one has a kill left only if that is at the last point, and could not happen.

    Raises:
        BaseExceptionGroup: of `Lost`: runs were not as they have to be; says which, with their kills.
    """
    room = asyncio.Semaphore(at_once)

    async def one(number: int, plan: list[Kill]) -> Run:
        async with room:
            return await run_one(world, f"run-{number}", plan)

    print(f"\nkills: {sum(map(len, plans))} in {len(plans)} contracts, seed {seed}", flush=True)
    ended = await asyncio.gather(*(one(*plan) for plan in enumerate(plans, first)), return_exceptions=True)
    await world.settle()
    failed = [error for error in ended if isinstance(error, BaseException)]
    if failed:
        raise BaseExceptionGroup(f"{len(failed)} of {len(plans)} contracts", failed)
    return [run for run in ended if isinstance(run, Run)]


async def run_one(world: World, name: str, plan: list[Kill], left_out: str = "") -> Run:
    """One contract from its creation to its end, with these kills."""
    described = "; ".join(str(kill) for kill in plan)
    body = await world.driven.create(
        name, phases=PHASES, autoComplete=False, supervisor=world.supervisors.spec(left_out)
    )
    run = Run(name, contract_id(body), list(plan))
    world.crossing.expect(run)
    answering = asyncio.create_task(_answer(world, name))
    try:
        await world.supervisors.begin(name, left_out)
        await world.driven.until(name, lambda status: status.get("state") == "Completed", RUN_SECONDS)
        await run.at_rest.wait()
        _check(run, await stored(world, run.contract_id), await world.driven.status(name))
    except (AssertionError, TimeoutError) as error:
        said = (await world.supervisors.words(name))[-3000:]
        left = "; ".join(str(kill) for kill in run.kills)
        raise Lost(f"{name} [{described}], to come: [{left}]: {error}\n{said}") from error
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
    print(f"{name}: {len(run.lives)} lives, {len(run.refusals)} old writes refused: {described}", flush=True)
    return run


async def is_lost(run: Awaitable[Run], how: str) -> None:
    """See that the run fails, in this way (a regular expression)."""
    with pytest.raises(Lost, match=how):
        await run


async def _answer(world: World, name: str) -> None:
    """What a person does who is asked: answers, as soon as the question is there."""
    while True:
        with suppress(MakimaError):
            status = await world.driven.status(name)
            for question in status.get("questions", ()):
                answers = [{"questionId": question["id"], "answer": ANSWERS[0]}]
                await world.driven.admin.patch_spec(name, answers=answers)
                return
        await asyncio.sleep(0.1)


@dataclass(frozen=True)
class Stored:
    """What Postgres has of a contract."""

    messages: Sequence[StoredMessage]
    tasks: Sequence[StoredTask]
    questions: Sequence[StoredQuestion]


async def stored(world: World, contract: UUID) -> Stored:
    """Read it; Postgres may just be coming back for another run."""
    while True:
        with suppress(MakimaError):
            async with open_stores(world.database_url) as stores:
                messages = await stores.memory.messages(contract, 0, 100)
                return Stored(messages, await stores.work.tasks(contract), await stores.work.questions(contract))
        await asyncio.sleep(0.2)


def _check(run: Run, stored: Stored, status: dict[str, Any]) -> None:
    assert all(kill.point == LAST for kill in run.kills), "the run never came to these points"
    _check_conversation(run, [message.content for message in stored.messages])
    assert [message.sequence for message in stored.messages] == [1, 2, 3, 4], f"sequences: {stored.messages}"
    lives = [message.incarnation for message in stored.messages]
    assert lives == sorted(lives), f"an older life wrote after a newer one: {lives}"
    assert [(task.name, task.state.value) for task in stored.tasks] == [("survey", "Completed")], f"{stored.tasks}"
    asked = [(item.text, item.answer) for item in stored.questions]
    assert asked == [(QUESTION, ANSWERS[0])], f"questions: {stored.questions}"
    done = [(item["phase"], item["id"]) for item in status["deliverables"]]
    assert done == [("plan", "plan-document"), ("execute", "pull-request")], f"deliverables: {done}"
    let_in = [found for found in run.refusals if found[1] not in REFUSED]
    assert not let_in, f"writes of lives that were over: {let_in}"
    followed = sum(kill.takes_the_life and (kill.point, kill.when) not in UNSEEN for kill in run.done)
    assert len(set(run.lives)) > followed, f"{followed} lives had to be followed by others; {run.lives} registered"


def _check_conversation(run: Run, texts: list[str]) -> None:
    """Every message once, in order; every one that the agent knew to be stored is there."""
    assert [text.split()[0] for text in texts] == STEPS, f"conversation: {texts}"
    missing = [text for text in run.acknowledged if texts.count(text) != 1]
    assert not missing, f"acknowledged, and not there exactly once: {missing}; there: {texts}"
