"""Keys, symbols and the filter, on one page."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from makima.tui.appearance import GREY, SKY, STATES, WHITE

KEYS = (
    ("↑ ↓  j k", "move; g G: first, last; PgUp PgDn"),
    ("Enter", "open the contract; Esc goes back"),
    ("i", "inbox: everything that waits for a person, oldest first"),
    ("a", "answer its question"),
    ("c", "confirm its next move"),
    ("p", "pause it, or resume it"),
    ("r", "restart its supervisor; take a failed contract up again"),
    ("/", "filter; Esc takes the filter away"),
    ("s  S", "sort by the next order; turn it round (a click on a heading sorts too)"),
    (":", "jump to a contract, or: ns NAME, state NAME, sort NAME, inbox, q"),
    ("e", "latest events, or none; of one contract: all, PgUp goes back in time"),
    ("q", "leave"),
)

FILTERS = (
    ("pay web", "with both words in name, type, activity or wait"),
    ("ns:team-a", "of namespaces that begin so"),
    ("state:failed,blocked", "in one of these states"),
    ("phase:exec", "in a phase that begins so; type: likewise"),
    ("waiting  stale", "that wait for a person; without activity for too long"),
    ("!done", "not: before any part"),
)


class HelpScreen(ModalScreen[None]):
    """Any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "leave", "Close"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The page."""
        with VerticalScroll(id="help") as page:
            page.border_subtitle = "↓ ↑ PgDn PgUp move   Esc closes"
            yield Static(help_page())

    def action_scroll(self, by: int) -> None:
        """A line further."""
        self.query_one("#help", VerticalScroll).scroll_relative(y=by, animate=False)

    def action_leave(self) -> None:
        """Back."""
        self.dismiss(None)


def help_page() -> Group:
    """Everything that there is to know."""
    legend = Text()
    for look in STATES.values():
        legend.append(f"{look.symbol}\u00a0{look.word}  ", style=look.colour)
    legend.append("! in trouble", style=WHITE)
    states, zone = Text("States", style=f"bold {WHITE}"), Text("\nTimes of day are those of your own time zone.")
    return Group(_table("Keys", KEYS), _table("Filter", FILTERS), states, legend, zone)


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style=f"bold {WHITE}", box=None, show_header=False)
    table.add_column(style=f"bold {SKY}", no_wrap=True)
    table.add_column(style=GREY)
    for row in rows:
        table.add_row(*row)
    table.add_row("", "")
    return table
