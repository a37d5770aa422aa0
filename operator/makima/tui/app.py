"""The monitor: follows a source, keeps the world, and shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.notifications import SeverityLevel
from textual.screen import Screen

from makima.errors import MakimaError
from makima.tui.caller import Caller, Makima
from makima.tui.commands import Command, Verb
from makima.tui.harmless import harmless
from makima.tui.listing import Listing
from makima.tui.options import Options
from makima.tui.ordering import Order, Sorting
from makima.tui.palette import Jump
from makima.tui.screens.base import MonitorScreen
from makima.tui.screens.contract_list import ContractListScreen
from makima.tui.screens.detail import DetailScreen
from makima.tui.screens.dialog import Dialog
from makima.tui.screens.help import HelpScreen
from makima.tui.screens.inbox import InboxScreen
from makima.tui.source import Key, Source
from makima.tui.world import World

DRAW_SECONDS = 0.1
"""How often changes are drawn: many events in between are one drawing."""

NOTE_SECONDS = 20
"""For how long it is said where the person may not look."""


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class MonitorApp(App[None]):
    """All screens share one world."""

    CSS_PATH = "monitor.tcss"
    TITLE = "makima"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "inbox", "Inbox"),
        Binding("colon", "jump", "Jump", key_display=":"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        source: Source,
        options: Options | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
        seconds: float | None = None,
        caller: Caller | None = None,
    ) -> None:
        super().__init__()
        self.source, self.options, self.now = source, options or Options(), now
        self.world = World()
        self.always = self.options.filter()
        self.listing = Listing(self.always)
        self.ended_by: MakimaError | None = None
        self.caller = caller or Makima()
        self._seconds = seconds

    def get_default_screen(self) -> Screen[Any]:
        """The list, below everything else."""
        return ContractListScreen(self.listing, self.options.quiet)

    def on_mount(self) -> None:
        """Follow the world."""
        self.run_worker(self._follow(), exit_on_error=True)
        self.set_interval(DRAW_SECONDS, self.draw)
        self.set_interval(1, self._tick)
        if self._seconds is not None:
            self.set_timer(self._seconds, self.exit)
        if self.options.note:
            self.notify(self.options.note, severity="warning", timeout=NOTE_SECONDS)

    async def _follow(self) -> None:
        """Only what trying again can't mend ends the monitor: no rights, or a cluster that does not know makima."""
        try:
            async for change in self.source.changes():
                self.world.apply(change, self.now())
        except MakimaError as error:
            self.ended_by = error
            self.exit()

    def draw(self) -> None:
        """Let the screen on top, and the one below a dialog, show what changed."""
        touched = self.world.take_touched()
        if touched:
            for screen in self._in_sight():
                screen.world_changed(touched)

    def _tick(self) -> None:
        for screen in self._in_sight():
            screen.time_passed()

    def _in_sight(self) -> list[MonitorScreen | Dialog]:
        """Screens that can be seen: the one on top, and what is below while that is a dialog."""
        seen: list[MonitorScreen | Dialog] = []
        for screen in reversed(self.screen_stack):
            if isinstance(screen, MonitorScreen | Dialog) and screen.drawn:
                seen.append(screen)
            if not screen.is_modal:
                break
        return seen

    def open_contract(self, key: Key) -> None:
        """Show one contract."""
        self.push_screen(DetailScreen(key, self.options.quiet))

    def action_inbox(self) -> None:
        """Everything that waits for a person."""
        if not isinstance(self.screen, InboxScreen):
            self.push_screen(InboxScreen())

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something for a while; what others wrote in it is no markup."""
        super().notify(harmless(message).plain, title=title, severity=severity, timeout=timeout, markup=markup)

    def action_help_quit(self) -> None:
        """Ctrl+C leaves, as everywhere in a terminal; a dialog that is open does nothing then."""
        self.exit()

    def action_help(self) -> None:
        """Keys, symbols, filter."""
        self.push_screen(HelpScreen())

    def action_jump(self) -> None:
        """Contracts and commands."""
        self.push_screen(CommandPalette(providers=[Jump], placeholder="contract, or: ns NAME, inbox, sort NAME, q"))

    def obey(self, command: Command) -> None:
        """Do what was chosen."""
        match command.verb:
            case Verb.OPEN:
                if command.key is not None:
                    self.open_contract(command.key)
            case Verb.INBOX:
                self.action_inbox()
            case Verb.HELP:
                self.action_help()
            case Verb.QUIT:
                self.exit()
            case Verb.NAMESPACE | Verb.STATE | Verb.SORT | Verb.CLEAR:
                self._change_list(command)

    def _change_list(self, command: Command) -> None:
        screen = self._back_to_list()
        if screen is None:
            return
        if not command.argument and command.verb is not Verb.CLEAR:
            self.notify(f"say which: {command.text}", severity="warning")
        elif command.verb is Verb.SORT:
            screen.sort(Sorting(Order[command.argument]))
        else:
            field = "ns" if command.verb is Verb.NAMESPACE else "state"
            screen.set_filter("" if command.verb is Verb.CLEAR else f"{field}:{command.argument}")

    def _back_to_list(self) -> ContractListScreen | None:
        while len(self.screen_stack) > 1 and not isinstance(self.screen, ContractListScreen):
            self.pop_screen()
        screen: Screen[object] = self.screen
        return screen if isinstance(screen, ContractListScreen) else None
