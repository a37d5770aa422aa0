"""The client library against the API double: reports, retries, commands, and the end of a life."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from makima.models.enums import CommandKind, SupervisorState
from makima.models.wire.commands import Command
from makima.supervisor import NotConfigured, Place, Refused, Superseded, Supervisor, TokenFile, Unreachable, place_from
from tests.support.api_double import ApiDouble, Fault

STORED_ONCE = [
    Fault("*", status=503),
    Fault("*", status=500, when="after"),
    Fault("*"),
    Fault("*", when="after"),
    Fault("*", times=3, when="after"),
]


async def test_a_life_reports_everything_and_the_next_one_goes_on_from_there(api: ApiDouble, place: Place) -> None:
    async with Supervisor(place) as first:
        await first.on_llm_response("Here is the plan.")
        task = await first.spawn_task("build")
        question = await first.ask_question("Deploy?", ["yes", "no"])
        first.picture.agent["conversation"] = "abc"
        await first.save()
        assert await first.checkpoint() == 1
    async with Supervisor(place, take_over=True) as second:
        assert second.life.incarnation == 2
        assert second.restoration.messages[0].content == "Here is the plan."
        assert second.picture.agent == {"conversation": "abc"}
        assert second.picture.state is SupervisorState.WAITING_FOR_USER
        assert set(second.picture.waiting_on) == {task.id} and set(second.picture.questions) == {question.id}
        await second.on_llm_response("And on.")
    assert api.said() == ["Here is the plan.", "And on."]


@pytest.mark.parametrize("fault", STORED_ONCE, ids=lambda fault: f"{fault.status}-{fault.when}-{fault.times}")
@pytest.mark.parametrize("call", ["register", "messages", "state", "checkpoints", "tasks", "questions", "deliverables"])
async def test_a_call_that_got_no_answer_is_made_again_and_stored_once(
    api: ApiDouble, place: Place, fault: Fault, call: str
) -> None:
    api.faults.append(replace(fault, call=call))
    async with Supervisor(place) as supervisor:
        await supervisor.on_llm_response("one")
        await supervisor.checkpoint()
        await supervisor.spawn_task("build")
        await supervisor.ask_question("Deploy?")
        await supervisor.complete_deliverable("plan-document")
        await supervisor.on_llm_response("two")
    assert api.faults[0].times == 0
    assert api.said() == ["one", "two"]
    assert (len(api.tasks), len(api.questions), len(api.deliverables), len(api.checkpoints)) == (1, 1, 1, 1)
    assert api.incarnation == 1


async def test_what_was_refused_for_longer_than_the_patience_goes_with_the_next_save(
    api: ApiDouble, place: Place
) -> None:
    api.faults.append(Fault("messages", times=10**6, when="after", status=503))
    async with Supervisor(place, patience=0.5) as supervisor:
        with pytest.raises(Unreachable, match="within 0.5 s"):
            await supervisor.on_llm_response("one")
        with pytest.raises(Unreachable):
            await supervisor.on_llm_response("two")
        api.faults.clear()
        await supervisor.save()
    assert api.said() == ["one", "two"]
    assert api.saved.message_sequence == 2


async def test_heartbeats_come_at_the_interval_and_at_once_when_the_state_changes(api: ApiDouble, place: Place) -> None:
    async with Supervisor(place) as supervisor:
        await api.until(lambda: len(api.beats) >= 3)
        api.heartbeat_seconds = 60
    async with Supervisor(place, take_over=True) as supervisor:
        await api.until(lambda: api.beats[-1].incarnation == 2)
        supervisor.report(SupervisorState.WORKING, activity="compiling", progress=40)
        await api.until(lambda: api.beats[-1].state is SupervisorState.WORKING, seconds=5)
    assert (api.beats[-1].current_activity, api.beats[-1].progress) == ("compiling", 40)
    assert [beat.sequence for beat in api.beats if beat.incarnation == 2] == [1, 2]


async def test_a_heartbeat_saves_what_changed_and_nothing_where_nothing_did(api: ApiDouble, place: Place) -> None:
    async with Supervisor(place) as supervisor:
        supervisor.report(activity="thinking")
        await api.until(lambda: api.state and api.saved.current_activity == "thinking")
        revision, beats = api.state and api.state.revision, len(api.beats)
        await api.until(lambda: len(api.beats) > beats + 2)
        assert api.state and api.state.revision == revision


async def test_an_answer_reaches_who_waits_and_is_acknowledged_after_it_was_saved(api: ApiDouble, place: Place) -> None:
    api.heartbeat_seconds = 60
    async with Supervisor(place) as supervisor:
        question = await supervisor.ask_question("Deploy?")
        command = api.answer(question.id, "yes")
        async with asyncio.timeout(2):
            assert await question.answer == "yes"
        await api.until(lambda: command in api.acknowledged)
        assert api.saved.pending_question_ids == ()
        again = await supervisor.ask_question("Deploy?")
        assert again.answer.done()
    async with Supervisor(place, take_over=True) as later:
        assert (await later.ask_question("Deploy?")).answer.result() == "yes"
    assert len(api.questions) == 1


async def test_a_command_that_comes_twice_is_carried_out_once(api: ApiDouble, place: Place) -> None:
    done: list[Command] = []
    release = asyncio.Event()

    async def carry_out(command: Command) -> None:
        done.append(command)
        await release.wait()

    async with Supervisor(place) as supervisor:
        supervisor.on(CommandKind.PAUSE, carry_out)
        command = api.tell(CommandKind.PAUSE, reason="lunch")
        await api.until(lambda: done)
        beats = len(api.beats)
        await api.until(lambda: len(api.beats) > beats + 2)
        assert api.acknowledged == []
        release.set()
        await api.until(lambda: command in api.acknowledged)
    assert len(done) == 1


async def test_a_command_whose_acknowledgement_was_lost_is_not_carried_out_by_the_next_life(
    api: ApiDouble, place: Place
) -> None:
    done: list[int] = []

    async def carry_out(_: Command) -> None:
        done.append(1)

    api.faults.append(Fault("acknowledge", times=10**6, status=503))
    async with Supervisor(place) as supervisor:
        supervisor.on(CommandKind.PAUSE, carry_out)
        command = api.tell(CommandKind.PAUSE)
        await api.until(lambda: api.state and str(command) in api.state.payload)
    api.faults.clear()
    async with Supervisor(place, take_over=True) as supervisor:
        supervisor.on(CommandKind.PAUSE, carry_out)
        await api.until(lambda: command in api.acknowledged)
    assert done == [1]


async def test_a_command_whose_callback_fails_is_tried_again(api: ApiDouble, place: Place) -> None:
    tries: list[int] = []

    async def carry_out(_: Command) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("not now")

    async with Supervisor(place) as supervisor:
        supervisor.on(CommandKind.PAUSE, carry_out)
        command = api.tell(CommandKind.PAUSE)
        await api.until(lambda: command in api.acknowledged)
    assert len(tries) == 2


async def test_a_restart_that_was_asked_of_a_life_before_is_not_carried_out(api: ApiDouble, place: Place) -> None:
    carried_out: list[object] = []

    async def carry_out(command: Command) -> None:
        carried_out.append(command.payload.get("incarnation"))

    async with Supervisor(place):
        pass
    async with Supervisor(place, take_over=True) as second:
        second.on(CommandKind.RESTART, carry_out)
        asked = [api.tell(CommandKind.RESTART, reason="silent", incarnation=life) for life in (1, 2)]
        asked.append(api.tell(CommandKind.RESTART, reason="stuck"))
        await api.until(lambda: set(asked) <= set(api.acknowledged))
    assert carried_out == [2, None]


async def test_the_end_of_the_contract_is_what_a_wish_to_complete_waits_for(api: ApiDouble, place: Place) -> None:
    api.guarded = True
    async with Supervisor(place) as supervisor, asyncio.timeout(10):
        wish = asyncio.create_task(supervisor.ask_advance("Completed"))
        await api.until(lambda: api.beats and api.beats[-1].state is SupervisorState.WAITING_FOR_USER)
        api.tell(CommandKind.STOP, reason="confirmed", state="completed")
        assert (await wish).outcome == "success"
        assert supervisor.picture.completed


async def test_commands_without_callback_are_iterated_and_acknowledged_by_asking_for_the_next(
    api: ApiDouble, place: Place
) -> None:
    async with Supervisor(place) as supervisor:
        pause, resume = api.tell(CommandKind.PAUSE), api.tell(CommandKind.RESUME)
        commands = supervisor.commands()
        async with asyncio.timeout(10):
            assert (await anext(commands)).id == pause
            assert api.acknowledged == []
            assert (await anext(commands)).id == resume
        assert api.acknowledged == [pause]


async def test_a_task_that_a_job_runs_is_waited_for(api: ApiDouble, place: Place) -> None:
    async with Supervisor(place) as supervisor:
        task = await supervisor.spawn_task("build", template="builder")
        await api.until(lambda: api.beats and api.beats[-1].pending_task_ids == (task.id,))
        api.tell(CommandKind.TASK_FINISHED, task_id=str(task.id), state="failed", message="exit 1")
        async with asyncio.timeout(5):
            assert await task.ended == ("failed", "exit 1")
        await api.until(lambda: api.beats[-1].pending_task_ids == ())


async def test_an_unguarded_move_is_done_at_once(api: ApiDouble, place: Place) -> None:
    async with Supervisor(place) as supervisor:
        answer = await supervisor.ask_advance("execute", reason="planned")
        assert (answer.outcome, supervisor.picture.phase) == ("success", "execute")
        await api.until(lambda: len(api.acknowledged) == 1)
        assert supervisor.picture.contract_version == api.version


async def test_a_guarded_move_waits_for_a_person(api: ApiDouble, place: Place) -> None:
    api.guarded = True
    async with Supervisor(place) as supervisor:
        supervisor.report(SupervisorState.WORKING)
        asked = asyncio.create_task(supervisor.ask_advance("execute"))
        await api.until(lambda: api.beats and api.beats[-1].state is SupervisorState.WAITING_FOR_USER)
        assert not asked.done()
        api.move("execute")
        async with asyncio.timeout(5):
            answer = await asked
        assert (answer.outcome, answer.phase) == ("success", "execute")
        assert supervisor.picture.state is SupervisorState.WORKING


async def test_a_guarded_move_that_nobody_confirms_in_time_says_so(api: ApiDouble, place: Place) -> None:
    api.guarded = True
    async with Supervisor(place) as supervisor:
        answer = await supervisor.ask_advance("execute", wait_seconds=0.1)
    assert answer.outcome == "requires_confirmation"


async def test_sync_is_answered_by_a_heartbeat(api: ApiDouble, place: Place) -> None:
    api.heartbeat_seconds = 60
    async with Supervisor(place):
        await api.until(lambda: len(api.beats) == 1)
        command = api.tell(CommandKind.SYNC)
        await api.until(lambda: command in api.acknowledged)
        assert len(api.beats) == 2


async def test_a_newer_life_ends_the_block_wherever_it_is_and_nothing_is_sent_after(
    api: ApiDouble, place: Place
) -> None:
    with pytest.raises(Superseded, match="incarnation 2"):  # noqa: PT012  # it ends the block, wherever that is
        async with Supervisor(place) as supervisor:
            await supervisor.on_llm_response("mine")
            api.supersede()
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
    calls = len(api.calls)
    with pytest.raises(Superseded):
        await supervisor.on_llm_response("too late")
    assert len(api.calls) == calls
    assert api.said() == ["mine"]
    current = asyncio.current_task()
    assert current is not None and current.cancelling() == 0


async def test_a_newer_life_ends_a_call_that_is_made_just_then(api: ApiDouble, place: Place) -> None:
    api.heartbeat_seconds = 60
    with pytest.raises(Superseded):  # noqa: PT012  # it ends the block, wherever that is
        async with Supervisor(place) as supervisor:
            api.supersede()
            await supervisor.on_llm_response("too late")
    assert api.said() == []


async def test_an_error_in_the_block_is_the_blocks_own(api: ApiDouble, place: Place) -> None:
    with pytest.raises(ZeroDivisionError):
        async with Supervisor(place):
            _ = 1 / 0


async def test_another_external_supervisor_that_lives_is_not_pushed_aside(api: ApiDouble, place: Place) -> None:
    async with Supervisor(place):
        await api.until(lambda: api.beats)
        with pytest.raises(Refused, match="CONFLICT"):
            async with Supervisor(place):
                pass


async def test_registering_again_with_the_same_id_is_the_same_life(api: ApiDouble, place: Place) -> None:
    registration = uuid4()
    for _ in range(2):
        async with Supervisor(place, registration_id=registration) as supervisor:
            assert supervisor.life.incarnation == 1


async def test_a_token_is_read_for_every_call_as_it_is_replaced(api: ApiDouble, place: Place, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    api.token = "first"
    async with Supervisor(replace(place, credential=TokenFile(token))) as supervisor:
        token.write_text("second\n")
        api.token = "second"
        await supervisor.on_llm_response("hello")
    with pytest.raises(Refused, match="UNAUTHENTICATED"):
        async with Supervisor(place, take_over=True):
            pass


async def test_a_server_that_is_none_of_makimas_is_named(api: ApiDouble, place: Place) -> None:
    with pytest.raises(Unreachable, match="Connect call failed"):
        async with Supervisor(replace(place, api_url="http://127.0.0.1:9"), patience=0.3):
            pass


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "MAKIMA_API_URL is not set"),
        ({"MAKIMA_API_URL": "api:8080", "MAKIMA_CONTRACT": "a/b"}, "no address"),
        ({"MAKIMA_API_URL": "http://api", "MAKIMA_CONTRACT": "b"}, "NAMESPACE/NAME"),
        ({"MAKIMA_API_URL": "http://api", "MAKIMA_CONTRACT": "a/b", "MAKIMA_INCARNATION": "x"}, "not a number"),
    ],
)
def test_an_environment_that_lacks_something_says_what(environment: dict[str, str], message: str) -> None:
    with pytest.raises(NotConfigured, match=message):
        place_from(environment)


def test_the_environment_of_a_pod_is_enough(tmp_path: Path) -> None:
    found = place_from(
        {
            "MAKIMA_API_URL": "https://api/",
            "MAKIMA_CONTRACT": "here/work",
            "MAKIMA_INCARNATION": "7",
            "MAKIMA_TOKEN_FILE": str(tmp_path / "token"),
        }
    )
    assert (found.api_url, found.contract, found.incarnation) == ("https://api", "here/work", 7)
    assert found.credential == TokenFile(tmp_path / "token")
