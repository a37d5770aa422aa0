"""A dialog in which a person decides: it sends one wish, says what became of it, and stays open if it failed."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from makima.errors import MakimaError
from makima.models.contract import Contract
from makima.tui.appearance import GREY, VERMILION
from makima.tui.source import Key
from makima.tui.widgets.words import Words
from makima.tui.world import Touched

if TYPE_CHECKING:
    from makima.tui.app import MonitorApp


class Dialog(ModalScreen[None]):
    """Esc leaves it without doing anything."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        # With priority: whatever has the keys, what is decided about can be read to its beginning and end.
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
    ]

    TITLE_TEXT = ""
    KEYS = "Enter sends   Esc leaves without doing anything"

    @property
    def drawn(self) -> bool:
        """Whether its widgets are there (still)."""
        return self.is_attached and bool(self.query("#dialog-problem")) and self.begun

    def __init__(self, key: Key) -> None:
        super().__init__()
        self.key = key
        self.busy = self.begun = False

    @property
    def monitor(self) -> MonitorApp:
        """The app."""
        return cast("MonitorApp", self.app)

    @property
    def contract(self) -> Contract | None:
        """The contract, if it is still there."""
        return self.monitor.world.contracts.get(self.key)

    def compose(self) -> ComposeResult:
        """Title, body, the line that says what went wrong, the keys."""
        with VerticalScroll(id="dialog"):
            yield Words(Text(f"{self.TITLE_TEXT}  {self.key[0]}/{self.key[1]}", style="bold"), id="dialog-title")
            yield from self.compose_body()
            yield Words(self.KEYS, id="keys")
            yield Words(id="dialog-problem")

    def _mark_length(self) -> None:
        """Where not all of it is in sight, it says how to see the rest."""
        page = self.query_one("#dialog", VerticalScroll)
        page.border_subtitle = "PgUp PgDn: more of it" if page.max_scroll_y else ""

    def compose_body(self) -> ComposeResult:
        """What the person decides about."""
        yield from ()

    def on_mount(self) -> None:
        """Begin once the widgets are there: a container mounts what is in it later than the dialog itself."""
        if self.query("#dialog-problem"):
            self.begin()
            self.begun = True
            self.call_after_refresh(self._mark_length)
        elif self.is_attached:
            self.set_timer(0.02, self.on_mount)

    def begin(self) -> None:
        """Its widgets are there."""

    def world_changed(self, touched: Touched) -> None:
        """The contract may be another one now."""
        if self.key in touched.rows:
            self.contract_changed()

    def contract_changed(self) -> None:
        """What is decided about changed, or is gone."""

    def time_passed(self) -> None:
        """Nothing here counts seconds."""

    def action_scroll(self, by: int) -> None:
        """A page further."""
        page = self.query_one("#dialog", VerticalScroll)
        if by > 0:
            page.scroll_page_down(animate=False)
        else:
            page.scroll_page_up(animate=False)

    def action_leave(self) -> None:
        """Leave without doing anything."""
        self.dismiss(None)

    def say(self, message: str, hint: str | None = None) -> None:
        """Show what is wrong and what to do."""
        text = Text(f"✗ {message}", style=f"bold {VERMILION}")
        if hint:
            text.append(f"\n  next: {hint}", style=GREY)
        self.query_one("#dialog-problem", Words).update(text)
        self.query_one("#dialog", VerticalScroll).scroll_end(animate=False)

    def send(self, wish: Coroutine[Any, Any, None], done: str) -> None:
        """Do it; leave when it is done, stay and say why when it is not."""
        if self.busy:
            wish.close()
            return
        self.busy = True
        self.query_one("#dialog-problem", Words).update(Text("… asking the API server", style=GREY))
        self.run_worker(self._send(wish, done), exit_on_error=False)

    async def _send(self, wish: Coroutine[Any, Any, None], done: str) -> None:
        try:
            await wish
        except MakimaError as error:
            self._failed(error.message, self.monitor.caller.hint(error, "/".join(self.key)))
        except Exception as error:  # a person at work must not lose the screen for a bug of ours
            self._failed(f"unexpected: {type(error).__name__}: {error}"[:300], "try it again; report it if it stays")
        else:
            self.app.notify(done, timeout=4)
            self.dismiss(None)
        finally:
            self.busy = False

    def _failed(self, message: str, hint: str | None) -> None:
        """Say so; and what changed while it was asked for, as nobody will tell of it again."""
        self.busy = False
        self.say(message, hint)
        self.contract_changed()
