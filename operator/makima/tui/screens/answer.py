"""Answer a question where it is shown: choose one of its options, or write."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList

from makima.models.contract_status import Question
from makima.tui.ages import ago
from makima.tui.appearance import GREY, SKY, WHITE
from makima.tui.screens.dialog import Dialog
from makima.tui.source import Key
from makima.tui.waits import open_questions
from makima.tui.widgets.marked_options import MarkedOptions
from makima.tui.widgets.words import Words

LONGEST = 2048
"""Characters of an answer that the API server takes."""


class AnswerDialog(Dialog):
    """One open question after the other."""

    TITLE_TEXT = "? Answer"
    KEYS = "↑ ↓ choose   Tab to write   Enter sends   Esc leaves without doing anything"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "next_question", "Next question"),
    ]

    def __init__(self, key: Key, question_id: str | None = None) -> None:
        super().__init__(key)
        self.question_id = question_id

    @property
    def questions(self) -> tuple[Question, ...]:
        """Questions without an answer, oldest first."""
        contract = self.contract
        return open_questions(contract) if contract is not None else ()

    @property
    def question(self) -> Question | None:
        """The one that is shown."""
        return next((item for item in self.questions if item.id == self.question_id), None)

    def compose_body(self) -> ComposeResult:
        """The question, its options, a line to write in."""
        yield Words(id="question")
        yield MarkedOptions(id="options")
        yield Input(id="answer", max_length=LONGEST)

    def begin(self) -> None:
        """The oldest one first."""
        if self.question is None and self.questions:
            self.question_id = self.questions[0].id
        self._show()

    def contract_changed(self) -> None:
        """Somebody else may have answered."""
        if not self.busy and self.question is None:
            self.say("this question is not open any more", "Esc leaves; somebody answered it, or it was taken back")

    def action_next_question(self) -> None:
        """Show the next one."""
        ids = [item.id for item in self.questions]
        if not ids:
            return
        here = ids.index(self.question_id) if self.question_id in ids else -1
        self.question_id = ids[(here + 1) % len(ids)]
        self._show()

    @on(OptionList.OptionHighlighted)
    def moved(self, event: OptionList.OptionHighlighted) -> None:
        """What is chosen is in sight; at the beginning the question is."""
        if event.option_index or self.query_one("#dialog", VerticalScroll).scroll_offset.y:
            event.option_list.scroll_visible(animate=False)

    @on(Input.Changed)
    def typing(self, event: Input.Changed) -> None:
        """So is what is written."""
        event.input.scroll_visible(animate=False)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        """One of the options is the answer."""
        question = self.question
        if question is not None:
            self._answer(question.options[event.option_index])

    @on(Input.Submitted)
    def written(self, event: Input.Submitted) -> None:
        """What was written is the answer; the number of an option stands for the option."""
        text, question = event.value.strip(), self.question
        if not text or question is None:
            self.say("an answer has at least one character")
            return
        number = int(text) if text.isdecimal() and len(text) < 3 else 0
        self._answer(question.options[number - 1] if 1 <= number <= len(question.options) else text)

    def _answer(self, text: str) -> None:
        contract, question = self.contract, self.question
        if contract is None or question is None:
            self.say("this question is not open any more", "Esc leaves")
            return
        wish = self.monitor.source.answer(contract, question.id, text)
        self.send(wish, f"answered: {text[:60]}")

    def _show(self) -> None:
        question, options, line = self.question, self.query_one(MarkedOptions), self.query_one(Input)
        options.show([Text(f"{i}) {item}") for i, item in enumerate(question.options if question else (), 1)])
        if question is None:
            self.query_one("#question", Words).update(Text("nothing is asked here", style=GREY))
            options.display = line.display = False
            return
        text = Text(f"{question.question}\n", style=WHITE)
        text.append(f"{question.type}, asked {ago(question.asked_time, self.monitor.now())}", style=GREY)
        if len(self.questions) > 1:
            text.append(f"; question {self.questions.index(question) + 1} of {len(self.questions)}", style=GREY)
            text.append("  ctrl+n: the next", style=SKY)
        self.query_one("#question", Words).update(text)
        options.display = bool(question.options)
        line.placeholder = "or write another answer; Enter sends" if question.options else "write; Enter sends it"
        (options if question.options else line).focus(scroll_visible=False)
        if question.options:
            options.highlighted = 0
