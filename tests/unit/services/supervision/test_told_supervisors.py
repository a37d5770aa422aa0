"""What supervisors are told, and what contracts know from Postgres: nothing is lost while it is away."""

from __future__ import annotations

from uuid import UUID

import pytest

from makima.models.wire.memory import AppendMessages, ConversationMessage
from tests.support.supervised import World, running


async def test_pause_resume_and_stop_are_told_once_each(world: World) -> None:
    await running(world)
    for suspend, state in ((True, "Paused"), (False, "Active")):
        world.cluster.patch_spec("a", {"suspend": suspend})
        await world.until(lambda wanted=state: world.state() == wanted)
    version = world.cluster.objects["ns", "a"]["status"]["version"]
    world.cluster.patch_spec("a", {"deliverables": [{"phase": "one", "id": "doc"}]})
    await world.until(lambda: world.cluster.objects["ns", "a"]["status"]["version"] > version)
    version = world.cluster.objects["ns", "a"]["status"]["version"]
    world.cluster.patch_spec("a", {"advance": {"to": "two", "expectedVersion": version}})
    await world.until(lambda: world.cluster.objects["ns", "a"]["status"]["phase"] == "two")
    await world.until(lambda: world.told() == ["Pause", "Resume", "PhaseChanged"])


@pytest.mark.parametrize("away", ["history", "postgres"])
async def test_with_postgres_away_commands_wait_with_the_history(world: World, away: str) -> None:
    await running(world)
    getattr(world, away).away = True
    world.cluster.patch_spec("a", {"suspend": True})
    await world.until(lambda: world.state() == "Paused")
    await world.until_quiet_but_for_the_history()
    getattr(world, away).away = False
    await world.until(lambda: world.told() == ["Pause"], 12)
    await world.until(lambda: not world.operators[0].operator.recorder.waiting(), 12)


async def test_an_operator_that_was_killed_before_it_told_is_followed_by_one_that_does(world: World) -> None:
    await running(world)
    world.postgres.away = True
    world.cluster.patch_spec("a", {"suspend": True})
    await world.until(lambda: world.state() == "Paused")
    await world.end(world.operators[0])
    world.postgres.away = False
    await world.lead()
    await world.until(lambda: world.told() == ["Pause"])


async def test_a_question_is_closed_once_postgres_has_its_answer(world: World) -> None:
    await running(world)
    question = world.ask()
    await world.until(lambda: world.state() == "WaitingForInput")
    world.postgres.away = True
    world.cluster.patch_spec("a", {"answers": [{"questionId": question, "answer": "that one"}]})
    await world.until_quiet_but_for_the_history()
    assert world.state() == "WaitingForInput"
    world.postgres.away = False
    await world.pass_time(2.5)
    await world.until(lambda: world.state() == "Active")
    (stored,) = world.postgres.all_questions.values()
    assert (stored.answer, stored.incarnation) == ("that one", 1)


async def test_heartbeats_that_only_postgres_has_keep_a_contract_from_being_stale(world: World) -> None:
    contract = await running(world)
    for _ in range(4):
        world.clock.advance(seconds=600)
        world.beat(contract)
        await world.until_quiet()
    assert stale(world) == "False"


async def test_messages_keep_a_contract_from_being_stale_where_heartbeats_are_rare(world: World) -> None:
    contract = await running(world, heartbeatPeriodSeconds=3600, heartbeatTimeoutSeconds=86400)
    await world.until_quiet()
    writes = world.cluster.status_writes
    for number in range(1, 7):
        world.clock.advance(seconds=600)
        await say(world, contract, number)
        await world.until_quiet()
    assert stale(world) == "False"
    assert world.cluster.status_writes - writes <= 2
    await world.pass_time(1900)
    assert stale(world) == "True"


async def say(world: World, contract: UUID, number: int) -> None:
    """The supervisor saves its next message."""
    message = ConversationMessage(id=UUID(int=number), role="assistant", content="Reading on.")
    call = AppendMessages(incarnation=1, first_sequence=number, messages=(message,))
    await world.postgres.append_messages(contract, call, world.clock.now())


def stale(world: World) -> str:
    """Status of the condition Stale."""
    conditions = world.cluster.objects["ns", "a"]["status"]["conditions"]
    return next(str(item["status"]) for item in conditions if item["type"] == "Stale")


async def test_heartbeats_without_anything_else_are_no_progress(world: World) -> None:
    contract = await running(world)
    world.cluster.patch_spec("a", {"progressDeadlineSeconds": 300})
    for _ in range(4):
        world.clock.advance(seconds=100)
        world.beat(contract)
        await world.until_quiet()
    conditions = {c["type"]: c["reason"] for c in world.cluster.objects["ns", "a"]["status"]["conditions"]}
    assert conditions["Progressing"] == "ProgressDeadlineExceeded"
