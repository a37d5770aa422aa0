"""What every screen of the monitor has: the app's world, the source, and a say when the world changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.screen import Screen

from makima.models.contract import Contract
from makima.tui.source import Key
from makima.tui.world import Touched

if TYPE_CHECKING:
    from makima.tui.app import MonitorApp


class MonitorScreen(Screen[None]):
    """A screen that follows the world."""

    PARTS: ClassVar[tuple[str, ...]] = ()
    """Selectors of the widgets that it draws on. Containers mount what is in them later than the screen itself."""

    @property
    def drawn(self) -> bool:
        """Whether its widgets are there (still): the world does not wait for them."""
        return self.is_attached and all(self.query(part) for part in self.PARTS)

    @property
    def monitor(self) -> MonitorApp:
        """The app."""
        return cast("MonitorApp", self.app)

    def world_changed(self, touched: Touched) -> None:
        """Something changed while this screen was the one on top."""

    def time_passed(self) -> None:
        """A second went by."""

    def show_all(self) -> None:
        """Draw everything from what is so now."""

    def on_mount(self) -> None:
        """Begin once its widgets are there."""
        self._begin()

    def _begin(self) -> None:
        if self.drawn:
            self.begin()
            self.show_all()
        elif self.is_attached:
            self.set_timer(0.02, self._begin)

    def begin(self) -> None:
        """Its widgets are there for the first time."""

    def on_screen_resume(self) -> None:
        """It is on top again: the world went on meanwhile."""
        if self.drawn:
            self.show_all()

    def contract(self, key: Key | None) -> Contract | None:
        """The contract, if it is still there."""
        return self.monitor.world.contracts.get(key) if key is not None else None
