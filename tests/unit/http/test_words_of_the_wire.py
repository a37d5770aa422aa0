"""One enum, two spellings: what the wire reads and writes of the closed sets of words."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from makima.models.enums import (
    AdvanceOutcome,
    CommandKind,
    ContractState,
    LegacyStatus,
    SupervisorState,
    TaskState,
    Word,
)
from makima.models.wire.contracts import OldStatus, State
from makima.models.wire.message import WireCommand, WireState
from makima.models.wire.monitor import WireStatus
from makima.models.wire.work import OutcomeWord, TaskWord

SPELLED: list[tuple[Any, type[Word]]] = [
    (State, ContractState),
    (WireStatus, ContractState),
    (OldStatus, LegacyStatus),
    (WireState, SupervisorState),
    (WireCommand, CommandKind),
]


@pytest.mark.parametrize(("kind", "words"), SPELLED)
def test_every_word_is_read_and_written_in_snake_case_and_taken_as_a_member(kind: Any, words: type[Word]) -> None:
    wire: TypeAdapter[Word] = TypeAdapter(kind)
    for word in words:
        assert wire.validate_python(word.snake) is word
        assert wire.validate_json(f'"{word.snake}"') is word
        assert wire.validate_python(word) is word
        assert wire.dump_python(word) == word.snake
    assert wire.json_schema() == {"type": "string", "enum": [word.snake for word in words]}


@pytest.mark.parametrize("text", ["WaitingForInput", "Active", "dancing", "", 7, None, ["active"]])
def test_nothing_else_is_a_state(text: object) -> None:
    with pytest.raises(ValidationError, match="created, active, waiting_for_input"):
        TypeAdapter(State).validate_python(text)


def test_the_filter_of_the_monitor_reads_both_spellings() -> None:
    wire: TypeAdapter[ContractState] = TypeAdapter(WireStatus)
    assert wire.validate_python("WaitingForInput") is wire.validate_python("waiting_for_input")
    with pytest.raises(ValidationError):
        wire.validate_python(["active"])


@pytest.mark.parametrize(("plain", "words"), [(TaskWord, TaskState), (OutcomeWord, AdvanceOutcome)])
def test_plain_words_are_those_of_their_enum(plain: Any, words: type[Word]) -> None:
    assert list(get_args(plain)) == [word.snake for word in words]
