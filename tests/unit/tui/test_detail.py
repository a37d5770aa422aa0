"""One contract in the monitor: its phases, supervisor, tasks and events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makima.errors import MakimaError
from makima.tui.options import Options
from makima.tui.screens.detail import DetailScreen
from makima.tui.source import ContractGone, Happened
from tests.support.monitor_contracts import DIGEST, NOW
from tests.support.monitor_seat import at_monitor
from tests.support.monitor_teams import a_team, happening
from tests.support.monitor_world import PlayedWorld, told

SIZES = [(80, 24), (120, 40), (240, 70)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_detail_shows_phases_supervisor_tasks_and_events(size: tuple[int, int]) -> None:
    async with at_monitor(size=size) as seat:
        seat.app.open_contract(("team-a", "upgrade-tls"))
        await seat.sees("pod upgrade-tls-2")
        await seat.sees("plan → execute")
        if size[1] > 30:
            for part in ("4 execute", "pull-request", DIGEST[:19], "restarts 1 of 10", "resumed where it was", "lint"):
                await seat.sees(part)


async def test_the_events_of_a_contract_are_read_back_page_by_page() -> None:
    contract = a_team()[0][0]
    past = [
        happening(contract, "PhaseChanged", seq, NOW - timedelta(minutes=600 - seq), old_phase="x", new_phase=f"n{seq}")
        for seq in range(1, 451)
    ]
    async with at_monitor(PlayedWorld(told(*a_team()), past=past)) as seat:
        seat.app.open_contract((contract.metadata.namespace, contract.metadata.name))
        await seat.sees("x → n450")
        assert "x → n250" not in seat.screen()
        await seat.press("e")
        await seat.sees("Esc closes")
        assert "Phases" not in seat.screen()
        for oldest in (251, 51, 1):
            await seat.press("home")
            await seat.sees(f"x → n{oldest} ")
        await seat.press("escape")
        await seat.sees("Phases")
        assert isinstance(seat.app.screen, DetailScreen)


async def test_quiet_shows_only_important_events() -> None:
    async with at_monitor(options=Options(quiet=True)) as seat:
        await seat.sees("no activity for 1 hour")
        assert "lint completed" not in seat.screen()
        failed = happening(a_team()[0][0], "TaskCompleted", 90, task_name="deploy", success=False)
        seat.world.tell(Happened([failed]))
        await seat.sees("deploy failed")


async def test_a_contract_that_is_deleted_while_it_is_shown_says_so() -> None:
    async with at_monitor() as seat:
        seat.app.open_contract(("team-a", "upgrade-tls"))
        await seat.sees("pod upgrade-tls-2")
        seat.world.tell(ContractGone(("team-a", "upgrade-tls")))
        await seat.sees("is gone")
        await seat.press("a")
        assert isinstance(seat.app.screen, DetailScreen)


async def test_a_history_that_cannot_be_read_is_said_above_what_the_resource_tells() -> None:
    world = PlayedWorld(told(*a_team()), past=MakimaError("makima's API can't be reached"))
    async with at_monitor(world) as seat:
        seat.app.open_contract(("team-a", "search-index"))
        await seat.sees("only what the resource tells: makima's API can't be reached")
        await seat.sees("active → failed")
