"""SIGKILL of the wrapper at each save point, then another one: everything is there once, in order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from makima.models.enums import SupervisorState
from makima.models.wire.problem import Code
from tests.support.api_double import ApiDouble, Problematic
from tests.support.wrapper_process import SCRIPTED, StartWrapper, WrapperUnderTest


@dataclass
class Killer:
    """Kills the wrapper at the nth call of a kind: before it is stored (it never is), or before its acknowledgement."""

    call: str
    when: str
    nth: int
    wrapper: WrapperUnderTest | None = None
    seen: int = 0

    async def __call__(self, call: str, when: str) -> None:
        """Around each call."""
        if (call, when) != (self.call, self.when):
            return
        self.seen += 1
        if self.seen == self.nth:
            assert self.wrapper is not None
            await asyncio.to_thread(self.wrapper.kill)
            if when == "before":
                raise Problematic(Code.UNAVAILABLE)


POINTS = [
    *(("messages", nth) for nth in (1, 2, 3, 4)),
    *(("state", nth) for nth in (1, 2, 3, 4, 5, 6, 8, 10, 12)),
    ("tasks", 1),
    ("task_end", 1),
    ("deliverables", 1),
    ("questions", 1),
    ("advance", 1),
    ("acknowledge", 1),
    ("heartbeat", 1),
    ("heartbeat", 3),
]


EVERY = [(call, nth, when) for call, nth in POINTS for when in ("before", "after")]
CASES = [
    pytest.param(*case, marks=() if number % 3 == 0 else pytest.mark.exhaustive) for number, case in enumerate(EVERY)
]
"""`make test` tries every third, `make e2e` all."""


@pytest.mark.parametrize(("call", "nth", "when"), CASES)
async def test_a_wrapper_killed_at_a_save_point_is_followed_by_one_that_repeats_nothing(
    api: ApiDouble, start: StartWrapper, call: str, nth: int, when: str
) -> None:
    killer = Killer(call, when, nth)
    api.stored = killer
    answering = asyncio.create_task(_answer(api))
    try:
        killer.wrapper = start(*SCRIPTED)
        assert await killer.wrapper.ended() == -9, f"there was no {call} number {nth}"
        api.stored = None
        assert await start(*SCRIPTED).ended() == 0
    finally:
        answering.cancel()
    assert api.said() == ["I plan.", "I built.", "Deployed: yes.", "Done."]
    assert [message.id for message in api.messages] == list({message.id: None for message in api.messages})
    assert [(task.name, task.state) for task in api.tasks.values()] == [("build", "completed")]
    assert [question.text for question in api.questions.values()] == ["Deploy?"]
    assert api.deliverables == [("plan", "plan-document")]
    assert (api.phase, api.incarnation, api.saved.state) == ("execute", 2, SupervisorState.COMPLETED)
    assert api.saved.message_sequence == 4 and set(api.commands) == set(api.acknowledged)


async def _answer(api: ApiDouble) -> None:
    await api.until(lambda: api.questions, seconds=60)
    api.answer(next(iter(api.questions)), "yes")
