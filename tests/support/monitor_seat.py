"""Somebody in front of the monitor: presses keys and reads what is on the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from makima.cli.contracts.call import Call
from makima.cli.contracts.persona import MAKIMA, Persona
from makima.cli.contracts.text import Screen
from makima.client import Place
from makima.tui.app import MonitorApp
from makima.tui.caller import Caller
from makima.tui.options import Options
from makima.tui.screens.contract_list import ContractListScreen
from makima.tui.screens.dialog import Dialog
from makima.tui.source import Source
from makima.tui.widgets.contract_table import ContractTable
from tests.support.monitor_contracts import NOW
from tests.support.monitor_teams import a_team, team_events
from tests.support.monitor_world import PlayedWorld, told

PATIENCE = 60


class Seat:
    """A person in front of the monitor."""

    def __init__(self, app: MonitorApp, pilot: Pilot[None], world: Any) -> None:
        self.app, self.pilot, self.world = app, pilot, world

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, what: Callable[[], object]) -> None:
        """Until it is so, however slow the machine is."""
        async with asyncio.timeout(PATIENCE):
            while not what():
                await self.pilot.pause(0.02)

    async def opened(self, dialog: type[Dialog]) -> None:
        """Until this dialog takes keys."""
        app = self.app
        await self.until(lambda: isinstance(app.screen, dialog) and app.screen.drawn and app.screen.focused)

    async def sees(self, text: str) -> None:
        """Until the text is on the screen."""
        try:
            await self.until(lambda: text in self.screen())
        except TimeoutError:
            raise AssertionError(f"{text!r} is not on the screen:\n{self.screen()}") from None

    def screen(self) -> str:
        """What is on the terminal, as text."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join("".join(segment.text for segment in strip)[:width] for strip in strips[:height])

    @property
    def table(self) -> ContractTable:
        return self.app.query_one(ContractTable)


@asynccontextmanager
async def at_monitor(
    world: PlayedWorld | None = None,
    size: tuple[int, int] = (120, 40),
    options: Options | None = None,
    caller: Caller | None = None,
) -> AsyncIterator[Seat]:
    """Somebody in front of a scripted world, in which time stands still."""
    world = world or PlayedWorld([*told(*a_team()), team_events()])
    app = MonitorApp(world, options, now=lambda: NOW, caller=caller)
    async with _seated(app, world, size) as seat:
        if world.start:
            await seat.until(lambda: app.world.rows and (seat.table.shown or app.options.stale))
        yield seat


@asynccontextmanager
async def at_live_monitor(source: Source, options: Options | None = None) -> AsyncIterator[Seat]:
    """Somebody in front of the real world, as the command line puts them there."""
    call = Call(Persona(MAKIMA), Place(), Screen(), None)
    async with _seated(MonitorApp(source, options, caller=call), source, (140, 45)) as seat:
        yield seat


@asynccontextmanager
async def _seated(app: MonitorApp, world: Any, size: tuple[int, int]) -> AsyncIterator[Seat]:
    async with app.run_test(size=size, notifications=True) as pilot:
        seat = Seat(app, pilot, world)
        await seat.until(lambda: isinstance(app.screen, ContractListScreen) and app.screen.drawn)
        yield seat
