"""Pause, resume, restart and retry: asked once more, with what will happen."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from makima.tui.appearance import WHITE
from makima.tui.screens.dialog import Dialog
from makima.tui.widgets.words import Words

REASON = 1024


class PauseDialog(Dialog):
    """Pause, with a reason if one wants to give it."""

    TITLE_TEXT = "‖ Pause"

    def compose_body(self) -> ComposeResult:
        """What it means, and why."""
        yield Words(Text("Deadlines stand still and nothing advances until it is resumed.", style=WHITE))
        yield Input(id="reason", placeholder="why (may stay empty); Enter pauses, Esc leaves", max_length=REASON)

    def begin(self) -> None:
        """Write at once."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def decided(self, event: Input.Submitted) -> None:
        """Pause it."""
        contract = self.contract
        if contract is None:
            self.say("the contract is gone", "Esc leaves")
            return
        self.send(self.monitor.source.suspend(contract, True, event.value.strip() or None), "pause asked for")


class YesNoDialog(Dialog):
    """y does it, n and Esc leave; Enter does nothing, as it is pressed too easily."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes"),
        Binding("n", "leave", "No"),
    ]

    EXPLANATION = ""
    KEYS = "y yes   n no"

    def compose_body(self) -> ComposeResult:
        """What it means."""
        yield Words(Text(self.explanation(), style=WHITE))

    def explanation(self) -> str:
        """What will happen."""
        return self.EXPLANATION

    def action_yes(self) -> None:
        """Do it."""


class ResumeDialog(YesNoDialog):
    """Resume."""

    TITLE_TEXT = "► Resume"
    EXPLANATION = "It goes on; where to is decided from what is so now."

    def action_yes(self) -> None:
        """Resume it."""
        contract = self.contract
        if contract is None:
            self.say("the contract is gone", "Esc leaves")
            return
        self.send(self.monitor.source.suspend(contract, False), "resume asked for")


class RestartDialog(YesNoDialog):
    """Restart the supervisor."""

    TITLE_TEXT = "↻ Restart the supervisor"

    def __init__(self, key: tuple[str, str], incarnation: int) -> None:
        super().__init__(key)
        self.incarnation = incarnation

    def explanation(self) -> str:
        """What will happen."""
        return (
            f"Its life number {self.incarnation} ends, and its pod with it; the next is restored from what it saved. "
            "Work since then is done again."
        )

    def action_yes(self) -> None:
        """Restart it."""
        contract = self.contract
        if contract is None:
            self.say("the contract is gone", "Esc leaves")
            return
        wish = self.monitor.source.restart_supervisor(contract, self.incarnation)
        self.send(wish, f"restart of life {self.incarnation} asked for")


class RetryDialog(YesNoDialog):
    """Take a failed contract up again."""

    TITLE_TEXT = "↻ Retry"

    def __init__(self, key: tuple[str, str], version: int) -> None:
        super().__init__(key)
        self.version = version

    def explanation(self) -> str:
        """Why it failed, and what will happen."""
        status = self.contract.status if self.contract is not None else None
        why = f"It failed: {status.failure_reason}. " if status is not None and status.failure_reason else ""
        return f"{why}It goes on in the same phase, with a fresh restart budget and a new life of its supervisor."

    def action_yes(self) -> None:
        """Take it up again, if it is still as it was looked at."""
        contract = self.contract
        if contract is None or contract.status is None or contract.status.version != self.version:
            self.say("it is not what you looked at any more", "Esc leaves; look again")
            return
        self.send(self.monitor.source.retry(contract), "retry asked for")
