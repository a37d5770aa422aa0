"""`:` as Textual's command palette."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from makima.tui.commands import PLAIN, find_commands

if TYPE_CHECKING:
    from makima.tui.app import MonitorApp


class Jump(Provider):
    """Contracts and commands."""

    @property
    def _monitor(self) -> MonitorApp:
        return cast("MonitorApp", self.app)

    async def discover(self) -> Hits:
        """What there is, before anything is typed."""
        for command in PLAIN:
            yield DiscoveryHit(command.text, partial(self._monitor.obey, command), help=command.about)

    async def search(self, query: str) -> Hits:
        """What fits what is typed, best first."""
        found = find_commands(query, self._monitor.world.rows)
        for place, command in enumerate(found):
            score = 1 - place / (len(found) + 1)
            yield Hit(score, command.text, partial(self._monitor.obey, command), help=command.about)
