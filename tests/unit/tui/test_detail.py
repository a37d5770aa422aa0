"""One contract in the monitor: its phases, supervisor, tasks and events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makima.errors import MakimaError
from makima.models.contract import Contract
from makima.tui.options import Options
from makima.tui.screens.detail import DetailScreen
from makima.tui.source import ContractGone, ContractsSeen, Happened
from tests.support.monitor_contracts import DIGEST, NOW, a_body, a_contract, uid_of
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


@pytest.mark.parametrize("name", ["upgrade-tls", "flaky-tests"])  # one that waits for something, one that is done
async def test_a_contract_that_is_deleted_while_it_is_shown_says_so(name: str) -> None:
    async with at_monitor() as seat:
        seat.app.open_contract(("team-a", name))
        await seat.sees("Phases")
        seat.world.tell(ContractGone(("team-a", name)))
        await seat.sees("is gone")
        await seat.sees(f"makima contracts history team-a/{name}")
        await seat.press("a")
        assert isinstance(seat.app.screen, DetailScreen)


async def test_another_contract_of_the_same_name_has_its_own_events() -> None:
    old = a_contract("work", version=5)
    body = a_body("work", version=2)
    body["metadata"]["uid"] = uid_of("team-a", "the new one")
    new = Contract.from_object(body)
    world = PlayedWorld(told([old]), past=[happening(old, "PhaseChanged", 1, old_phase="x", new_phase="old-phase")])
    async with at_monitor(world) as seat:
        seat.app.open_contract(("team-a", "work"))
        await seat.sees("x → old-phase")
        world.past = [happening(new, "PhaseChanged", 2, old_phase="x", new_phase="new-phase")]
        world.tell(ContractGone(("team-a", "work")), ContractsSeen([new]))
        await seat.sees("x → new-phase")
        assert "old-phase" not in seat.screen()


async def test_a_long_name_hides_neither_the_state_nor_its_end() -> None:
    name = "nightly-dependency-upgrade-of-the-payment-service-eu-west-1-x7k2p"
    async with at_monitor(PlayedWorld(told([a_contract(name)])), size=(80, 24)) as seat:
        await seat.sees("-x7k2p")
        await seat.press("enter")
        await seat.sees("Phases")
        head = "".join(line.strip() for line in seat.screen().splitlines()[:3])
        assert name in head and "► Active" in head


async def test_a_history_that_cannot_be_read_is_said_above_what_the_resource_tells() -> None:
    world = PlayedWorld(told(*a_team()), past=MakimaError("makima's API can't be reached"))
    async with at_monitor(world) as seat:
        seat.app.open_contract(("team-a", "search-index"))
        await seat.sees("only what the resource tells: makima's API can't be reached")
        await seat.sees("active → failed")
