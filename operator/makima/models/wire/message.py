"""The base of every message, and the types that several of them use.

Unknown fields are ignored: supervisors and the API service are not upgraded at the same moment, and a newer supervisor
must not be refused its heartbeat for saying more than an older server knows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from makima.models.enums import CommandKind, RestorationOutcome, SupervisorState, Word

MESSAGE_BYTES = 64 * 1024
"""Largest body of a call, unless it says otherwise."""

STATE_BYTES = 4 * 1024 * 1024
"""Largest body of a call that carries state or messages."""

PENDING_TASKS = 256
ACKNOWLEDGEMENTS = 64


class Message(BaseModel):
    """A JSON object of a call or an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


def without_nul(text: str) -> str:
    """The text itself.

    Raises:
        ValueError: it holds a NUL character, which Postgres can't store.
    """
    if "\0" in text:
        raise ValueError("must not contain NUL characters")
    return text


def _word(words: type[Word], value: object) -> object:
    """Spelled in snake_case by the wire; already a member where the message is made in Python (members are strings)."""
    return words.from_snake(value) if isinstance(value, str) and not isinstance(value, words) else value


def _spelled(words: type[Word]) -> WithJsonSchema:
    """The words as the wire spells them, for the OpenAPI document."""
    return WithJsonSchema({"type": "string", "enum": [word.snake for word in words]})


Plain = AfterValidator(without_nul)

Incarnation = Annotated[int, Field(ge=1, le=2**53, description="Number of the caller's life, given by register.")]
Sequence = Annotated[int, Field(ge=1, le=2**53)]
Activity = Annotated[str, Field(max_length=1024), Plain]
Instant = AwareDatetime
WireState = Annotated[
    SupervisorState,
    BeforeValidator(lambda value: _word(SupervisorState, value)),
    PlainSerializer(lambda state: state.snake, return_type=str),
    _spelled(SupervisorState),
]
"""A supervisor's state in snake_case."""

WireCommand = Annotated[
    CommandKind,
    BeforeValidator(lambda value: _word(CommandKind, value)),
    PlainSerializer(lambda kind: kind.snake, return_type=str),
    _spelled(CommandKind),
]
"""A command's kind in snake_case."""

WireOutcome = Annotated[
    RestorationOutcome,
    BeforeValidator(lambda value: _word(RestorationOutcome, value)),
    PlainSerializer(lambda outcome: outcome.snake, return_type=str),
    _spelled(RestorationOutcome),
]
"""The outcome of a restoration in snake_case."""

TaskIds = Annotated[tuple[UUID, ...], Field(max_length=PENDING_TASKS)]
CommandIds = Annotated[tuple[UUID, ...], Field(max_length=ACKNOWLEDGEMENTS)]


class Fenced(Message):
    """A call that only the current life of a supervisor may make."""

    incarnation: Incarnation


class Stamped(Message):
    """An answer that says what the server's clock shows."""

    server_time: datetime = Field(description="The server's clock, UTC.")
