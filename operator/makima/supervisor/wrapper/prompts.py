"""What a program is told when it goes on: in its own conversation, or in a new one that has to know what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BYTES = 96 * 1024
"""Most of one argument: Linux takes 128 KiB."""

MESSAGE = 8 * 1024
"""Characters of one message that are repeated."""


@dataclass(frozen=True, slots=True)
class News:
    """What happened since the program last ran.

    Attributes:
        interrupted: it was ended in the middle of its turn.
        open_tool_call: the tool that ran then, whose outcome nobody knows.
        answers: (question, answer).
        phase: the phase that the contract moved to.
    """

    interrupted: bool = False
    open_tool_call: str | None = None
    answers: tuple[tuple[str, str], ...] = ()
    phase: str | None = None


def go_on(news: News) -> str:
    """The next prompt of a conversation that the program still has."""
    return "\n\n".join((*_told(news), "Go on with your work from where you were. Do not repeat what is done."))


def afresh(original: str | None, news: News, messages: Sequence[tuple[str, str]]) -> str:
    """The first prompt of a new conversation that takes the place of a lost one.

    Args:
        original: what the program was asked to do.
        news: what happened since.
        messages: (role, text), oldest first; as many of the newest as there is room for are repeated.
    """
    task = _cut(original or "", BYTES // 3)
    told = "\n\n".join(_told(news))
    room = BYTES - len(task.encode()) - len(told.encode()) - 1024
    said = _newest(messages, room)
    parts = [task] if task else []
    if said:
        parts += [
            "You worked on this before, in a conversation that is lost. What was said in it, oldest first:",
            "\n\n".join(said),
            "That is where you were. Look at what is there already, and do not repeat what is done.",
        ]
    return "\n\n".join((*parts, told) if told else parts) or "Go on with your work."


def _told(news: News) -> list[str]:
    told: list[str] = []
    if news.interrupted:
        told.append("You were interrupted in the middle of your turn.")
    if news.open_tool_call:
        told.append(
            f"This was running then, and how far it came is not known; look before you repeat it: "
            f"{_cut(news.open_tool_call, 1024)}"
        )
    told += [
        f"You asked: {_cut(question, 2048)}\nThe answer is: {_cut(answer, 8192)}" for question, answer in news.answers
    ]
    if news.phase:
        told.append(f"The contract is now in the phase {news.phase!r}.")
    return told


def _newest(messages: Sequence[tuple[str, str]], room: int) -> list[str]:
    kept: list[str] = []
    for role, text in reversed(messages):
        shown = f"[{role}] {text if len(text) <= MESSAGE else text[:MESSAGE] + '…'}"
        room -= len(shown.encode()) + 2
        if room < 0:
            break
        kept.append(shown)
    return kept[::-1]


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")
