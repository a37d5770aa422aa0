"""What a line of an agent program can mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conversation:
    """The conversation's id, with which the program continues it. May come many times."""

    id: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the agent: a save point.

    Attributes:
        key: the program's own name for it; the same key again is the same message. None: every one is new.
    """

    text: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class ToolOpened:
    """A tool runs now; `text` says which and on what."""

    call: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolClosed:
    """That tool ended, well or not."""

    call: str


@dataclass(frozen=True, slots=True)
class Doing:
    """What the program does, for people."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The agent has nothing more to say in this turn; `ok` is False when an error ended it."""

    ok: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error that the program speaks of; it may go on all the same."""

    message: str


@dataclass(frozen=True, slots=True)
class TaskSpawned:
    """The program begins a task, or with a `template` asks for a Job."""

    key: str
    name: str
    template: str | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """The program's own task with this key came to its end."""

    key: str
    ok: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The program asks a person, and ends; it is run again with the answer."""

    key: str
    text: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """A deliverable is there; without a phase it is one of the current phase."""

    id: str
    phase: str | None = None
    uri: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """Percent of the phase."""

    percent: int


@dataclass(frozen=True, slots=True)
class AdvanceWanted:
    """The program holds its phase for finished."""

    to: str
    reason: str = ""


Event = (
    Conversation
    | Said
    | ToolOpened
    | ToolClosed
    | Doing
    | TurnEnded
    | Trouble
    | TaskSpawned
    | TaskEnded
    | Asked
    | Delivered
    | Progressed
    | AdvanceWanted
)
Events = tuple[Event, ...]
