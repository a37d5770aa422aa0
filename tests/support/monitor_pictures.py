"""The pictures in docs/monitor.md: `make pictures` writes them anew from the scripted world.

`python -m tests.support.monitor_pictures FOLDER`
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from makima.tui.app import MonitorApp
from makima.tui.source import ApiLink, Link, LinkState
from tests.support.monitor_contracts import NOW
from tests.support.monitor_teams import a_team, team_events
from tests.support.monitor_world import PlayedWorld, told

PICTURES: dict[str, tuple[tuple[int, int], str, tuple[str, ...]]] = {
    "list": ((120, 33), "", ()),
    "list-80x24": ((80, 24), "", ()),
    "detail": ((120, 36), "team-a/upgrade-tls", ()),
    "inbox": ((100, 30), "", ("i",)),
    "answer": ((100, 28), "team-a/pay-service", ("a",)),
    "confirm": ((100, 28), "team-b/web-checkout", ("c",)),
    "without-api": ((100, 20), "", ()),
}
"""Picture → size of the terminal, the contract that is open, and the keys that are pressed."""

FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Textual names a font on somebody's server; a picture in a repository loads nothing."""


async def draw(name: str) -> str:
    """One picture, as SVG."""
    size, contract, keys = PICTURES[name]
    source = PlayedWorld([*told(*a_team()), team_events()])
    if name == "without-api":
        source.tell(ApiLink(Link(LinkState.DOWN, NOW, "the server is currently unable to handle the request")))
    app = MonitorApp(source, now=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        if contract:
            space, _, own = contract.partition("/")
            app.open_contract((space, own))
            await pilot.pause(0.5)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.5)
        await pilot.pause(0.5)
        return FONT.sub("", app.export_screenshot(title="makima contracts monitor"))


def main(folder: Path) -> None:
    """All pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        (folder / f"monitor-{name}.svg").write_text(asyncio.run(draw(name)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
