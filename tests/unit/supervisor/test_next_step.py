"""What comes after a turn, every row of it; and what the program is told when it goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.models.enums import SupervisorState
from makima.supervisor.wrapper.next_step import Again, Exit, Turn, Wait, Wish, next_step
from makima.supervisor.wrapper.prompts import BYTES, News, afresh, go_on

S = SupervisorState
TALKS = Turn(code=0, has_to_say=True)
DONE = replace(TALKS, said_done=True)


@pytest.mark.parametrize(
    ("turn", "step"),
    [
        (DONE, Exit(0, S.COMPLETED)),
        (Turn(code=0), Exit(0, S.COMPLETED)),
        (replace(DONE, stays=True), Wait(S.IDLE)),
        (replace(DONE, stays=True, completed=True), Exit(0, S.COMPLETED)),
        (replace(DONE, questions=1), Wait(S.WAITING_FOR_USER)),
        (replace(DONE, unconfirmed=True), Wait(S.WAITING_FOR_USER)),
        (replace(DONE, unheard=1), Again()),
        (replace(DONE, unheard=1, questions=1), Wait(S.WAITING_FOR_USER)),
        (TALKS, Again()),
        (replace(TALKS, unfinished_before=1), Again()),
        (replace(TALKS, unfinished_before=2), Exit(70, S.INTERRUPTED, "the program ended 3 times without a result")),
        (Turn(code=3), Exit(3, S.INTERRUPTED, "the program ended with exit code 3")),
        (Turn(code=3, questions=1), Exit(3, S.INTERRUPTED, "the program ended with exit code 3")),
        (replace(DONE, wish=Wish.PAUSE), Wait(S.IDLE, paused=True)),
        (Turn(code=137, wish=Wish.PAUSE), Wait(S.IDLE, paused=True)),
        (Turn(code=143, wish=Wish.STOP), Exit(0, S.INTERRUPTED)),
        (Turn(code=143, wish=Wish.RESTART), Exit(75, S.INTERRUPTED)),
        (Turn(code=143, wish=Wish.STOP, completed=True), Exit(0, S.COMPLETED)),
        (Turn(code=5, wish=Wish.SIGNAL), Exit(5, S.INTERRUPTED, "ended by a signal")),
    ],
    ids=str,
)
def test_a_turn_is_followed_by(turn: Turn, step: object) -> None:
    assert next_step(turn) == step


def test_a_program_that_goes_on_is_told_what_happened() -> None:
    said = go_on(News(True, "make test", (("Deploy?", "yes"),), "execute"))
    for part in ("interrupted", "make test", "You asked: Deploy?\nThe answer is: yes", "phase 'execute'"):
        assert part in said


def test_a_new_conversation_begins_with_the_task_and_the_newest_messages() -> None:
    messages = [("assistant", f"message {number} " + "x" * 2000) for number in range(200)]
    said = afresh("the task", News(), messages)
    assert said.startswith("the task")
    assert "message 199" in said and "message 0 " not in said
    assert said.index("message 198") < said.index("message 199")


@given(
    task=st.text(max_size=50).map(lambda text: text * 5000),
    messages=st.lists(st.tuples(st.just("user"), st.text(max_size=20).map(lambda text: text * 2000)), max_size=20),
    answers=st.lists(st.tuples(st.text(max_size=10), st.text(max_size=10).map(lambda text: text * 2000)), max_size=2),
)
def test_a_prompt_always_fits_into_an_argument(
    task: str, messages: list[tuple[str, str]], answers: list[tuple[str, str]]
) -> None:
    assert len(afresh(task, News(answers=tuple(answers)), messages).encode()) <= BYTES
