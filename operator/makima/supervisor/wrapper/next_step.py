"""What comes after a program's turn: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from makima.models.enums import SupervisorState
from makima.supervisor.wrapper import exit_codes

UNFINISHED_IN_A_ROW = 3
"""Turns that end with 0 and without a word that they are over; then it is the program's fault."""


class Wish(Enum):
    """Why a program is ended from outside."""

    PAUSE = "pause"
    STOP = "stop"
    RESTART = "restart"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True)
class Turn:
    """How a turn went, and how things are after it.

    Attributes:
        code: exit code of the program.
        said_done: it said that its turn is over, and well.
        has_to_say: it is a program that always says so.
        wish: who ended it.
        unfinished_before: turns in a row before this one that ended without a word.
        questions: how many are not answered.
        unconfirmed: a move waits for a person.
        unheard: answers that came during the turn, which the program does not know.
        stays: it is to wait for what comes, rather than to end.
        completed: the contract has no further phase.
    """

    code: int
    said_done: bool = False
    has_to_say: bool = False
    wish: Wish | None = None
    unfinished_before: int = 0
    questions: int = 0
    unconfirmed: bool = False
    unheard: int = 0
    stays: bool = False
    completed: bool = False


@dataclass(frozen=True, slots=True)
class Exit:
    """End, with this exit code, and these last words."""

    code: int
    state: SupervisorState
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for news in this state, then go on; `paused`: only `resume` is news."""

    state: SupervisorState
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Go on at once: the turn was not finished."""


def next_step(turn: Turn) -> Exit | Wait | Again:
    """What to do now; the first that applies."""
    if turn.wish is not None:
        return _wished(turn, turn.wish)
    if turn.code != 0:
        return Exit(turn.code, SupervisorState.INTERRUPTED, f"the program ended with exit code {turn.code}")
    if turn.questions or turn.unconfirmed:
        return Wait(SupervisorState.WAITING_FOR_USER)
    if turn.unheard:
        return Again()
    if turn.has_to_say and not turn.said_done:
        return _unfinished(turn)
    return _finished(turn)


def _finished(turn: Turn) -> Exit | Wait:
    if turn.stays and not turn.completed:
        return Wait(SupervisorState.IDLE)
    return Exit(exit_codes.OK, SupervisorState.COMPLETED)


def _unfinished(turn: Turn) -> Exit | Again:
    if turn.unfinished_before + 1 < UNFINISHED_IN_A_ROW:
        return Again()
    said = f"the program ended {UNFINISHED_IN_A_ROW} times without a result"
    return Exit(exit_codes.UNFINISHED, SupervisorState.INTERRUPTED, said)


def _wished(turn: Turn, wish: Wish) -> Exit | Wait:
    match wish:
        case Wish.PAUSE:
            return Wait(SupervisorState.IDLE, paused=True)
        case Wish.STOP:
            said = SupervisorState.COMPLETED if turn.completed else SupervisorState.INTERRUPTED
            return Exit(exit_codes.OK, said)
        case Wish.RESTART:
            return Exit(exit_codes.RESTART, SupervisorState.INTERRUPTED)
        case Wish.SIGNAL:
            return Exit(turn.code, SupervisorState.INTERRUPTED, "ended by a signal")
