"""`makima supervise` around programs: their ends, signals, commands, orphans, and who may write."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from makima.models.enums import CommandKind, SupervisorState
from tests.support.api_double import ApiDouble, Fault
from tests.support.wrapper_process import FAKE_CODEX, SCRIPTED, StartWrapper, processes_with

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="descendants are found on Linux only")

CODEX = (FAKE_CODEX, "exec", "--json")


async def test_a_program_reports_asks_waits_and_goes_on_with_the_answer(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start(*SCRIPTED)
    await api.until(lambda: api.questions and api.beats[-1].state is SupervisorState.WAITING_FOR_USER)
    assert wrapper.running
    api.answer(next(iter(api.questions)), "yes")
    assert await wrapper.ended() == 0
    assert api.said() == ["I plan.", "I built.", "Deployed: yes.", "Done."]
    assert [task.state for task in api.tasks.values()] == ["completed"]
    assert api.deliverables == [("plan", "plan-document")]
    assert (api.phase, api.saved.state, api.beats[-1].state.snake) == (
        "execute",
        SupervisorState.COMPLETED,
        "completed",
    )
    assert '"Done."' in wrapper.printed


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("sh", "-c", "exit 3"), 3),
        (("sh", "-c", "kill -9 $$"), 137),
        (("sh", "-c", "cat; exit 4"), 4),
        (("no-such-program",), 127),
        (("/etc/passwd",), 126),
    ],
    ids=["its own", "a signal", "stdin is empty", "not there", "not executable"],
)
async def test_the_exit_code_is_the_programs(
    api: ApiDouble, start: StartWrapper, command: tuple[str, ...], code: int
) -> None:
    assert await start(*command).ended() == code


async def test_a_program_that_failed_leaves_its_contract_to_the_next_try(api: ApiDouble, start: StartWrapper) -> None:
    await start("sh", "-c", "exit 3").ended()
    assert (api.saved.state, api.saved.error) == (SupervisorState.INTERRUPTED, "the program ended with exit code 3")


async def test_an_api_that_is_away_is_said_and_the_program_not_started(
    api: ApiDouble, start: StartWrapper, tmp_path: Path
) -> None:
    api.faults.append(Fault("register", times=10**6, status=503))
    assert await start("touch", str(tmp_path / "ran"), options=("--patience", "1")).ended() == 69
    assert not (tmp_path / "ran").exists()


async def test_a_refused_registration_is_said(api: ApiDouble, start: StartWrapper) -> None:
    api.token = "another"
    assert await start("true").ended() == 77


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_reaches_the_program_and_its_state_is_saved(
    api: ApiDouble, start: StartWrapper, number: signal.Signals
) -> None:
    wrapper = start("sh", "-c", "trap 'echo bye; exit 5' TERM INT; echo ready; while :; do sleep 0.05; done")
    await api.until(lambda: "ready" in wrapper.printed)
    wrapper.signal(number)
    assert await wrapper.ended() == 5
    assert "bye" in wrapper.printed
    assert api.saved.state is SupervisorState.INTERRUPTED
    assert api.beats[-1].state is SupervisorState.INTERRUPTED


async def test_a_program_that_ignores_the_signal_is_killed_after_the_grace(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done", options=("--grace", "0.3"))
    await api.until(lambda: "ready" in wrapper.printed)
    wrapper.signal(signal.SIGTERM)
    assert await wrapper.ended() == 137
    assert processes_with(str(api.contract_id)) == []
    assert api.saved.state is SupervisorState.INTERRUPTED


async def test_tools_in_sessions_of_their_own_end_with_the_program(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start("sh", "-c", "setsid sleep 1000 & setsid sh -c 'setsid sleep 1000 & exit' & sleep 0.2; exit 0")
    assert await wrapper.ended() == 0
    assert processes_with(str(api.contract_id)) == []


async def test_processes_of_others_are_left_alone(api: ApiDouble, start: StartWrapper) -> None:
    other = await asyncio.create_subprocess_exec("sleep", "1000", env={**os.environ, "MAKIMA_SUPERVISED": "another"})
    try:
        assert await start("true").ended() == 0
        assert other.returncode is None
    finally:
        other.kill()
        await other.wait()


async def test_a_newer_life_kills_the_program_at_once_and_nothing_is_written_after(
    api: ApiDouble, start: StartWrapper
) -> None:
    wrapper = start("sh", "-c", "trap '' TERM; echo ready; setsid sleep 1000 & while :; do echo x; sleep 0.01; done")
    await api.until(lambda: "ready" in wrapper.printed)
    api.supersede()
    assert await wrapper.ended() == 76
    assert processes_with(str(api.contract_id)) == []
    assert all(beat.incarnation == 1 for beat in api.beats)


async def test_a_second_wrapper_of_the_contract_on_this_host_is_refused(api: ApiDouble, start: StartWrapper) -> None:
    first = start("sleep", "1000")
    await api.until(lambda: api.state)
    second = start("true", options=("--take-over",))
    assert await second.ended() == 73
    assert first.running and api.incarnation == 1


async def test_a_killed_wrapper_is_followed_by_one_that_ends_its_orphans_and_goes_on(
    api: ApiDouble, start: StartWrapper
) -> None:
    wrapper = start(*CODEX, "use a tool")
    await api.until(lambda: api.state and api.saved.open_tool_call == "sleep 1000")
    api.heartbeat_seconds = 60
    wrapper.kill()
    orphans = processes_with(str(api.contract_id))
    assert orphans
    again = start(*CODEX, "use a tool")
    assert await again.ended() == 0
    assert not set(orphans) & set(processes_with(str(api.contract_id)))
    assert api.incarnation == 2
    assert api.said() == ["turn 1", "turn 2 resumed"]
    told = api.said("user")[-1]
    assert "interrupted" in told and "sleep 1000" in told
    assert "ended 2 processes" in again.log.read_text() or "ended 1 processes" in again.log.read_text()


async def test_where_the_conversation_is_gone_a_new_one_is_told_what_was_said(
    api: ApiDouble, start: StartWrapper, tmp_path: Path
) -> None:
    assert await start(*CODEX, "write a poem").ended() == 0
    shutil.rmtree(tmp_path / "home" / ".codex")
    assert await start(*CODEX, "write a poem").ended() == 0
    assert api.said() == ["turn 1", "turn 1"]
    told = api.said("user")[-1]
    assert told.startswith("write a poem") and "[assistant] turn 1" in told


async def test_pause_ends_the_program_and_resume_continues_its_conversation(
    api: ApiDouble, start: StartWrapper
) -> None:
    wrapper = start(*CODEX, "hang")
    await api.until(lambda: api.said() == ["turn 1"])
    pause = api.tell(CommandKind.PAUSE, reason="lunch")
    await api.until(lambda: pause in api.acknowledged)
    assert processes_with(str(api.contract_id)) == []
    assert wrapper.running and api.saved.agent["paused"]
    resume = api.tell(CommandKind.RESUME)
    assert await wrapper.ended() == 0
    assert resume in api.acknowledged
    assert api.said() == ["turn 1", "turn 2 resumed"]


async def test_a_paused_contract_stays_paused_over_a_restart(api: ApiDouble, start: StartWrapper) -> None:
    first = start(*CODEX, "hang")
    await api.until(lambda: api.said() == ["turn 1"])
    pause = api.tell(CommandKind.PAUSE)
    await api.until(lambda: pause in api.acknowledged)
    first.kill()
    second = start(*CODEX, "hang")
    await api.until(lambda: api.beats[-1].incarnation == 2 and len(api.beats) > 3)
    assert second.running and api.said() == ["turn 1"]
    api.tell(CommandKind.RESUME)
    assert await second.ended() == 0
    assert api.said() == ["turn 1", "turn 2 resumed"]


async def test_stop_is_acknowledged_before_the_end(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start("sleep", "1000")
    await api.until(lambda: api.state)
    stop = api.tell(CommandKind.STOP, reason="enough")
    assert await wrapper.ended() == 0
    assert stop in api.acknowledged and api.saved.state is SupervisorState.INTERRUPTED


async def test_restart_begins_a_new_life_of_an_external_supervisor(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start(*CODEX, "hang")
    await api.until(lambda: api.said() == ["turn 1"])
    restart = api.tell(CommandKind.RESTART, reason="stuck")
    assert await wrapper.ended() == 0
    assert restart in api.acknowledged
    assert api.incarnation == 2 and api.said() == ["turn 1", "turn 2 resumed"]


async def test_the_next_phase_begins_the_next_turn_of_one_that_stays(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start(*CODEX, "work", options=("--stay",))
    await api.until(lambda: api.beats and api.beats[-1].state is SupervisorState.IDLE)
    api.move("execute")
    await api.until(lambda: len(api.said()) == 2)
    assert "phase 'execute'" in api.said("user")[-1]
    await api.until(lambda: api.beats[-1].state is SupervisorState.IDLE)
    assert wrapper.running


async def test_an_end_without_a_result_is_no_end_and_given_up_after_a_few(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start(*CODEX, "silent")
    assert await wrapper.ended() == 70
    assert api.said() == ["turn 1", "turn 2 resumed", "turn 3 resumed"]


async def test_a_guarded_move_is_waited_for(api: ApiDouble, start: StartWrapper) -> None:
    api.guarded = True
    advance, executed = '{"makima": "advance", "to": "execute"}', '{"makima": "message", "text": "executed"}'
    script = f"echo '{advance}'; test $MAKIMA_PHASE = plan || echo '{executed}'"
    wrapper = start("sh", "-c", script)
    await api.until(lambda: api.beats and api.beats[-1].state is SupervisorState.WAITING_FOR_USER)
    api.guarded = False
    api.move("execute")
    assert await wrapper.ended() == 0
    assert api.said() == ["executed"]


async def test_a_report_that_is_refused_costs_only_itself(api: ApiDouble, start: StartWrapper) -> None:
    script = (
        """echo '{"makima": "task", "key": "a", "name": "Not A Name"}'; echo '{"makima": "message", "text": "on"}'"""
    )
    wrapper = start("sh", "-c", script)
    assert await wrapper.ended() == 0
    assert api.said() == ["on"] and not api.tasks
    assert "can't be reported" in wrapper.log.read_text()


async def test_while_the_api_is_away_the_program_is_held_and_nothing_is_lost(
    api: ApiDouble, start: StartWrapper
) -> None:
    api.faults.append(Fault("messages", times=15, status=503))
    script = """for i in $(seq 200); do echo '{"makima": "message", "text": "'$i'"}'; done"""
    wrapper = start("sh", "-c", script, options=("--patience", "0.5"))
    assert await wrapper.ended(60) == 0
    assert api.said() == [str(number) for number in range(1, 201)]
