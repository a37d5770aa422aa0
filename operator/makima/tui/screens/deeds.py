"""What a person can do about a contract, the same keys wherever one is shown."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from makima.models.contract import Contract
from makima.models.enums import ContractState
from makima.tui.screens.answer import AnswerDialog
from makima.tui.screens.base import MonitorScreen
from makima.tui.screens.confirm import ConfirmDialog
from makima.tui.screens.sure import PauseDialog, RestartDialog, ResumeDialog, RetryDialog
from makima.tui.source import Key
from makima.tui.waits import approval_of, open_questions


class DeedScreen(MonitorScreen):
    """A screen with one contract that keys act upon."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "answer", "Answer"),
        Binding("c", "confirm", "Confirm"),
        Binding("p", "pause", "Pause"),
        Binding("r", "restart", "Restart", show=False),
    ]

    def subject(self) -> Key | None:
        """The contract that keys act upon."""
        return None

    def action_answer(self) -> None:
        """Answer its oldest question."""
        contract = self._here()
        if contract is None:
            return
        if contract.status is None or not contract.status.questions:
            self._no("it asks nothing at the moment")
            return
        if not open_questions(contract):
            self._no("it is answered already; the operator takes the answer up soon")
            return
        self.app.push_screen(AnswerDialog(_key(contract), self.chosen_question()))

    def chosen_question(self) -> str | None:
        """Id of the question that the person is at; None = the oldest."""
        return None

    def action_confirm(self) -> None:
        """Confirm its next move."""
        contract = self._here()
        if contract is None:
            return
        if approval_of(contract) is None:
            self._no("no move can be confirmed in the state it is in")
            return
        self.app.push_screen(ConfirmDialog(_key(contract)))

    def action_pause(self) -> None:
        """Pause it, or resume it."""
        contract = self._here()
        if contract is None:
            return
        state = contract.status.state if contract.status is not None else None
        if contract.spec.suspend or state is ContractState.PAUSED:
            self.app.push_screen(ResumeDialog(_key(contract)))
        elif state in (ContractState.COMPLETED, ContractState.FAILED, ContractState.ARCHIVED):
            self._no(f"it is {state}: there is nothing to pause")
        else:
            self.app.push_screen(PauseDialog(_key(contract)))

    def action_restart(self) -> None:
        """Restart its supervisor; take it up again where it has failed."""
        contract = self._here()
        if contract is None:
            return
        if contract.status is not None and contract.status.state is ContractState.FAILED:
            self.app.push_screen(RetryDialog(_key(contract), contract.status.version))
            return
        reference = contract.status.supervisor_ref if contract.status is not None else None
        if reference is None:
            self._no("no supervisor carries it")
            return
        self.app.push_screen(RestartDialog(_key(contract), reference.incarnation))

    def _here(self) -> Contract | None:
        contract = self.contract(self.subject())
        if contract is None:
            self._no("no contract is chosen, or it is gone")
        return contract

    def _no(self, why: str) -> None:
        self.app.notify(why, severity="warning", timeout=4)


def _key(contract: Contract) -> Key:
    return contract.metadata.namespace, contract.metadata.name
