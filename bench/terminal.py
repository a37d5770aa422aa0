"""`python -m bench.terminal [N]`: the monitor with N contracts, against Textual's own DataTable.

CPU of this process rather than time, so that other work on the machine does not matter.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from textual.app import App, ComposeResult
from textual.widgets import DataTable

from makima.tui.app import MonitorApp
from makima.tui.columns import layout
from makima.tui.filtering import parse_filter
from makima.tui.rows import Row
from makima.tui.screens.contract_list import ContractListScreen
from makima.tui.source import Happened
from makima.tui.widgets.contract_table import ContractTable
from tests.support.monitor_contracts import NOW
from tests.support.monitor_teams import a_crowd, heartbeat
from tests.support.monitor_world import PlayedWorld, told

SIZE = (160, 50)
RATE, SECONDS = 100, 10


async def monitor(count: int, figures: dict[str, str]) -> dict[str, Row]:
    """First paint, filter, and a stream of heartbeats."""
    contracts, supervisors = a_crowd(count)
    world = PlayedWorld(told(contracts, supervisors))
    app, began = MonitorApp(world, now=lambda: NOW), time.process_time()
    async with app.run_test(size=SIZE) as pilot:
        screen, table = app.screen, app.query_one(ContractTable)
        assert isinstance(screen, ContractListScreen)
        while not table.shown:
            await pilot.pause()
        figures["monitor: first rows are drawn"] = f"{time.process_time() - began:.2f} s"
        while table.shown < count or len(app.world.supervisors) < count:
            await pilot.pause()
        await pilot.pause()
        figures["monitor: all of them are there"] = f"{time.process_time() - began:.2f} s"
        for text in ("t", "team-0", ""):
            began = time.process_time()
            screen.narrow(text)
            await pilot.pause()
            figures[f"monitor: filter {text!r}"] = f"{(time.process_time() - began) * 1000:.0f} ms"
        idle = await _used(lambda _: None)
        busy = await _used(lambda number: _beat(world, contracts, number))
        figures["monitor: CPU with nothing to do"] = f"{idle:.3f} cores"
        figures[f"monitor: CPU for {RATE} heartbeats/s more"] = f"{busy - idle:.3f} cores"
        return {f"{row.namespace}/{row.name}": row for row in app.world.rows.values()}


def _beat(world: PlayedWorld, contracts: list, number: int) -> None:  # type: ignore[type-arg]
    contract = contracts[number * 7 % len(contracts)]
    at = NOW + timedelta(seconds=number / RATE)
    world.tell(Happened([heartbeat(contract, at, activity=f"step {number}", progress=number % 100)]))


async def _used(event: Callable[[int], None]) -> float:
    """Cores used while something happens RATE times a second."""
    loop = asyncio.get_running_loop()
    start, began = loop.time(), time.process_time()
    for number in range(RATE * SECONDS):
        event(number)
        await asyncio.sleep(max(0, start + number / RATE - loop.time()))
    return (time.process_time() - began) / (loop.time() - start)


class Twin(App[None]):
    """The same rows in Textual's DataTable."""

    def compose(self) -> ComposeResult:
        yield DataTable()


async def twin(rows: dict[str, Row], figures: dict[str, str]) -> None:
    """Fill it, filter it."""
    columns, app = layout(SIZE[0]), Twin()
    async with app.run_test(size=SIZE) as pilot:
        table = app.query_one(DataTable)
        for name, text in (("fill", ""), ("filter 't'", "t"), ("filter 'team-0'", "team-0")):
            began, chosen = time.process_time(), parse_filter(text)
            table.clear(columns=True)
            table.add_columns(*(column.heading for column, _ in columns))
            for key, row in rows.items():
                if chosen(row):
                    table.add_row(*(column.cell(row, NOW).text for column, _ in columns), key=key)
            await pilot.pause()
            figures[f"DataTable: {name}"] = f"{(time.process_time() - began) * 1000:.0f} ms"


async def main(count: int) -> None:
    """Measure, and print a table."""
    figures: dict[str, str] = {}
    rows = await monitor(count, figures)
    await twin(rows, figures)
    table = Table(title=f"{count:,} contracts, {SIZE[0]} × {SIZE[1]}, CPU of the process", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for what, figure in figures.items():
        table.add_row(what, figure)
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
