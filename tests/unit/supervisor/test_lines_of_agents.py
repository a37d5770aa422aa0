"""What each program's lines mean, and that no line can do harm."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.supervisor.dialects.events import (
    AdvanceWanted,
    Asked,
    Conversation,
    Delivered,
    Doing,
    Events,
    Progressed,
    Said,
    TaskEnded,
    TaskSpawned,
    ToolClosed,
    ToolOpened,
    Trouble,
    TurnEnded,
)
from makima.supervisor.dialects.line_splitter import LineSplitter
from makima.supervisor.dialects.programs import PROGRAMS

SAMPLES = Path(__file__).parents[2] / "data" / "agent_lines"
CLAUDE_ID = "7f0a2f6e-6f0c-4b62-9d0a-2d5a6a1e7c11"
CODEX_ID = "019a5a11-55e0-7a60-b9a2-8d5f2c1f3a77"

MEANINGS: dict[str, tuple[str, Events]] = {
    "claude": (
        "claude",
        (
            Conversation(CLAUDE_ID),
            Said("I will run the tests."),
            ToolOpened("toolu_1", 'Bash {"command":"make test"}'),
            ToolClosed("toolu_1"),
            Said("All tests pass."),
            TurnEnded(True, "All tests pass."),
        ),
    ),
    "codex": (
        "codex",
        (
            Conversation(CODEX_ID),
            ToolOpened("item_1", "/bin/bash -lc 'make test'"),
            ToolClosed("item_1"),
            ToolOpened("item_2", 'makima.ask {"text":"Go?"}'),
            ToolClosed("item_2"),
            Said("All tests pass."),
            TurnEnded(True),
        ),
    ),
    "codex_failed": (
        "codex",
        (
            Conversation("019a5a11-55e0-7a60-b9a2-8d5f2c1f3a78"),
            Trouble("unexpected status 500 Internal Server Error"),
            TurnEnded(False, "unexpected status 500 Internal Server Error"),
        ),
    ),
    "opencode": (
        "opencode",
        (
            Conversation("ses_5c1f"),
            Conversation("ses_5c1f"),
            Doing('bash {"command":"make test"}'),
            Conversation("ses_5c1f"),
            Conversation("ses_5c1f"),
            Said("All tests pass."),
            Conversation("ses_5c1f"),
            TurnEnded(True),
        ),
    ),
    "opencode_failed": ("opencode", (Conversation("ses_5c20"), Trouble("APIError: Internal Server Error"))),
    "lines": (
        "lines",
        (
            Doing("compiling 3 of 7"),
            Said("The plan is written.", "plan"),
            TaskSpawned("build", "build", "builder", ("--fast",)),
            TaskEnded("build", True, "built"),
            Asked("deploy", "Deploy now?", ("yes", "no")),
            Delivered("plan-document", uri="https://example.com/plan"),
            Progressed(40),
            Doing("writing the plan"),
            AdvanceWanted("execute", "the plan is written"),
            Doing('{"level": "info", "message": "a line of JSON that is not for makima"}'),
        ),
    ),
}


@pytest.mark.parametrize("sample", MEANINGS)
def test_recorded_lines_mean_what_the_program_did(sample: str) -> None:
    name, meaning = MEANINGS[sample]
    found: Events = ()
    for line in (SAMPLES / f"{sample}.jsonl").read_bytes().splitlines():
        events = PROGRAMS[name].parse(line)
        assert events is not None, line
        found += events
    assert found == meaning


@pytest.mark.parametrize("name", ["claude", "codex", "opencode"])
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Reading prompt from stdin...",
        b"[]",
        b"null",
        b"{",
        b'{"type": 7}',
        b'{"a": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 5000,
    ],
    ids=lambda line: line[:12].decode("latin-1") or "empty",
)
def test_a_line_that_is_not_the_programs_is_told_apart(name: str, line: bytes) -> None:
    assert PROGRAMS[name].parse(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"makima": "message"}',
        b'{"makima": "message", "text": 7}',
        b'{"makima": "task", "name": "build"}',
        b'{"makima": "task_end", "key": "build", "ok": "yes"}',
        b'{"makima": "progress", "percent": 101}',
        b'{"makima": "progress", "percent": true}',
        b'{"makima": "question", "text": "no key"}',
        b'{"makima": ["message"]}',
        b'{"makima": "explode"}',
    ],
)
def test_a_report_that_lacks_something_is_no_report(line: bytes) -> None:
    assert PROGRAMS["lines"].parse(line) is None


KEYS_WORDS = (
    "type subtype session_id sessionID thread_id message content text item id command part tool state input "
    "reason error data result makima key name ok percent options arguments to"
)
KEYS = st.sampled_from(KEYS_WORDS.split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TYPES_WORDS = (
    "system init assistant user result success thread.started item.started item.completed turn.completed "
    "turn.failed error command_execution mcp_tool_call agent_message text tool_use tool_result step_finish "
    "message task task_end question deliverable progress activity advance"
)
TYPES = st.sampled_from(TYPES_WORDS.split())


@pytest.mark.parametrize("name", PROGRAMS)
@given(line=st.binary(max_size=200))
def test_no_bytes_make_a_parser_fail(name: str, line: bytes) -> None:
    PROGRAMS[name].parse(line)


@pytest.mark.parametrize("name", PROGRAMS)
@given(fields=st.dictionaries(KEYS, VALUES | TYPES, max_size=8), kind=TYPES)
def test_no_json_of_the_right_words_makes_a_parser_fail_or_gives_what_cannot_be_stored(
    name: str, fields: dict[str, object], kind: str
) -> None:
    line = json.dumps({"type": kind, "makima": kind, **fields}).encode()
    for event in PROGRAMS[name].parse(line) or ():
        shown = str(event)
        assert "\\x00" not in shown
        shown.encode()


def test_a_surrogate_and_a_nul_become_characters_that_can_be_stored() -> None:
    line = rb'{"makima": "message", "text": "a\ud800b\u0000c"}'
    assert PROGRAMS["lines"].parse(line) == (Said("a?b\ufffdc"),)


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), max_size=8),
    cuts=st.lists(st.integers(0, 200), max_size=10),
)
def test_lines_are_the_same_however_the_pipe_cuts_them(lines: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    splitter = LineSplitter()
    found: list[bytes] = []
    for begin, end in pairwise(places):
        found += splitter.feed(whole[begin:end])
    assert found + splitter.close() == lines


def test_a_line_without_end_is_read_at_the_end() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == [b"one"]
    assert splitter.feed(b"o") == []
    assert splitter.close() == [b"two"]


def test_a_line_too_long_is_skipped_and_counted_and_the_next_is_read() -> None:
    splitter = LineSplitter(longest=10)
    found = [line for _ in range(1000) for line in splitter.feed(b"xxxxxxx")]
    assert found == []
    assert splitter.feed(b"\nshort\n") == [b"short"]
    assert splitter.skipped == 1
