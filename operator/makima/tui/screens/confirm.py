"""Confirm a move: what is approved is shown, and only a typed yes approves exactly that."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from makima.models.contract import Contract
from makima.tui.ages import ago
from makima.tui.appearance import GREEN, GREY, ORANGE, VERMILION, WHITE
from makima.tui.screens.dialog import Dialog
from makima.tui.source import Key
from makima.tui.waits import Approval, approval_of
from makima.tui.widgets.words import Words

YES = "yes"


class ConfirmDialog(Dialog):
    """The next move of a contract, in the version that is shown."""

    TITLE_TEXT = "◆ Confirm"
    KEYS = "type yes, then Enter   Esc leaves without doing anything"

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.seen: Contract | None = None

    def compose_body(self) -> ComposeResult:
        """What is approved, and where to say yes."""
        yield Words(id="approval")
        yield Input(id="yes", placeholder="type yes and press Enter; Esc leaves", max_length=8)

    def begin(self) -> None:
        """Show what is so now."""
        self._show()
        self.query_one(Input).focus(scroll_visible=False)

    @on(Input.Changed)
    def typing(self, event: Input.Changed) -> None:
        """What is written is in sight; until then the beginning of what is approved is."""
        event.input.scroll_visible(animate=False)

    def contract_changed(self) -> None:
        """What was looked at is not what would be approved now: look again."""
        before, after = _approval(self.seen), _approval(self.contract)
        if self.busy or before == after:
            return
        self._show()
        self.query_one(Input).value = ""
        if self.contract is None:
            self.say("the contract is gone", "Esc leaves")
        else:
            self.say("it changed while you looked: this is what is so now", "look again, then type yes")

    @on(Input.Submitted)
    def decided(self, event: Input.Submitted) -> None:
        """Anything but yes changes nothing."""
        approval, contract = _approval(self.seen), self.seen
        if approval is None or contract is None:
            self.say("no move can be confirmed now", "Esc leaves")
            return
        if event.value.strip().lower() != YES:
            self.say(f"nothing was done: {YES} confirms", "type yes, or press Esc")
            return
        guarded = contract.spec.phase_guard
        wish = self.monitor.source.advance(contract, approval.to, confirmed=guarded)
        self.send(wish, f"{'confirmed' if guarded else 'asked for'}: {approval.phase} → {approval.to}")

    def _show(self) -> None:
        self.seen = self.contract
        approval = _approval(self.seen)
        body = self.query_one("#approval", Words)
        if approval is None or self.seen is None:
            body.update(Text("No move can be confirmed: see what the contract waits for.", style=GREY))
            return
        body.update(approval_text(approval, self.seen.spec.phase_guard, self.monitor.now()))


def _approval(contract: Contract | None) -> Approval | None:
    return approval_of(contract) if contract is not None else None


def approval_text(approval: Approval, guarded: bool, now: datetime) -> Text:
    """What is approved."""
    text = Text()
    text.append(f"{approval.phase} → {approval.to}", style=f"bold {ORANGE}")
    text.append(f"   version {approval.version}\n", style=WHITE)
    for item, there in approval.present:
        text.append(f"✓ {item.name or item.id}", style=GREEN)
        text.append(f"  {ago(there.completed_time, now)}", style=GREY)
        text.append(f" by {there.completed_by}\n" if there.completed_by else "\n", style=GREY)
        text.append(
            f"    {there.digest or 'no digest: its content is not pinned'}\n", style=WHITE if there.digest else GREY
        )
        if there.uri:
            text.append(f"    {there.uri}\n", style=GREY)
    for item in approval.absent:
        text.append(f"○ {item.name or item.id}  {item.priority.value.lower()}, not there\n", style=GREY)
    if approval.lacks_required:
        text.append("! something required is missing: the gate will refuse the move\n", style=f"bold {VERMILION}")
    if guarded:
        text.append("You approve exactly this version; a change of it ends the approval.", style=GREY)
    else:
        text.append("This contract has no phase guard: the move only has to pass its gate.", style=GREY)
    return text
