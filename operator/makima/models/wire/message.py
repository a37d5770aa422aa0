"""The base of every message, and the types that several of them use.

Unknown fields are ignored: supervisors and the API service are not upgraded at the same moment, and a newer supervisor
must not be refused its heartbeat for saying more than an older server knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, core_schema

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


@dataclass(frozen=True, slots=True)
class InSnake:
    """Words that the wire spells in snake_case, for `Annotated[SupervisorState, InSnake(SupervisorState)]`.

    A member is taken as it is, where the message is made in Python; any other text is read as snake_case.
    """

    words: type[Word]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic reads and writes them."""
        written = core_schema.plain_serializer_function_ser_schema(
            lambda word: word.snake, return_schema=core_schema.str_schema()
        )
        return core_schema.no_info_before_validator_function(self._reader(), handler(source), serialization=written)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """How the OpenAPI document shows them."""
        return {"type": "string", "enum": [word.snake for word in self.words]}

    def _reader(self) -> Callable[[object], Word]:
        """`read` with one look for what is spelled right: a heartbeat has one of these."""
        known: dict[object, Word] = {word.snake: word for word in self.words}

        def read(value: object) -> Word:
            found = known.get(value) if type(value) is str else None
            return self.read(value) if found is None else found

        return read

    def read(self, value: object) -> Word:
        """The member.

        Raises:
            ValueError: no member is spelled so.
        """
        if isinstance(value, self.words):
            return value
        if isinstance(value, str):
            return self.words.from_snake(value)
        raise ValueError(f"a word is text: {', '.join(word.snake for word in self.words)}")


Plain = AfterValidator(without_nul)

Incarnation = Annotated[
    int, Field(ge=1, le=2**53, strict=True, description="Number of the caller's life, given by register.")
]
Sequence = Annotated[int, Field(ge=1, le=2**53, strict=True)]
Activity = Annotated[str, Field(max_length=1024), Plain]
Instant = AwareDatetime
WireState = Annotated[SupervisorState, InSnake(SupervisorState)]
WireCommand = Annotated[CommandKind, InSnake(CommandKind)]
WireOutcome = Annotated[RestorationOutcome, InSnake(RestorationOutcome)]
TaskIds = Annotated[tuple[UUID, ...], Field(max_length=PENDING_TASKS)]
CommandIds = Annotated[tuple[UUID, ...], Field(max_length=ACKNOWLEDGEMENTS)]


class Fenced(Message):
    """A call that only the current life of a supervisor may make."""

    incarnation: Incarnation


class Stamped(Message):
    """An answer that says what the server's clock shows."""

    server_time: datetime = Field(description="The server's clock, UTC.")
