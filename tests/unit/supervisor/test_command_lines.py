"""How a program is recognised, started, and made to continue its conversation."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from makima.errors import MakimaError
from makima.supervisor.dialects.command_line import command_line
from makima.supervisor.dialects.local_files import is_here
from makima.supervisor.dialects.programs import program_of

CLAUDE = "claude -p --output-format stream-json --verbose"
CODEX = "codex exec --json --skip-git-repo-check"
OPENCODE = "opencode run --format json --title T"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (f"{CLAUDE} do", "claude"),
        ("claude -p do", "lines"),
        (f"/usr/local/bin/{CODEX} do", "codex"),
        ("codex exec do", "lines"),
        ("codex --json", "lines"),
        (f"{OPENCODE} do", "opencode"),
        ("opencode run --format=json do", "opencode"),
        ("opencode run do", "lines"),
        ("python agent.py", "lines"),
    ],
)
def test_a_program_is_recognised_by_its_name_and_its_options(command: str, name: str) -> None:
    assert program_of(command.split()).name == name


def test_a_dialect_whose_options_are_missing_is_refused_with_what_to_add() -> None:
    with pytest.raises(MakimaError, match=r"lacks stream-json --verbose"):
        program_of(["claude", "-p", "--output-format", "json", "do"], "claude")


def test_an_unknown_dialect_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MakimaError, match=r"claude, codex, opencode, lines"):
        program_of(["x"], "gemini")


@pytest.mark.parametrize(
    ("command", "continued"),
    [
        (f"{CLAUDE} do", f"{CLAUDE} --resume ID more"),
        ("claude -p do --output-format stream-json --verbose", f"{CLAUDE} --resume ID more"),
        (f"{CODEX} do", f"{CODEX} resume ID more"),
        ("codex exec -m model --json do", "codex exec -m model --json resume ID more"),
        ("codex -c a=b exec do --json", "codex -c a=b exec --json resume ID more"),
        (f"{OPENCODE} do", f"{OPENCODE} --session ID more"),
        ("opencode run do --format json --model p/m", "opencode run --format json --model p/m --session ID more"),
    ],
)
def test_the_prompt_of_the_command_gives_way_to_the_next_one(command: str, continued: str) -> None:
    words = command.split()
    program = program_of(words)
    found = command_line(program, words)
    assert found.prompt == "do"
    assert " ".join(found.go_on(program, "ID", "more")) == continued
    assert found.start("afresh")[-1] == "afresh"


def test_a_prompt_given_apart_is_put_at_the_end() -> None:
    words = CODEX.split()
    found = command_line(program_of(words), words, "say what")
    assert found.start() == (*words, "say what")


def test_a_program_without_conversations_is_started_as_it_is() -> None:
    assert command_line(program_of(["make", "all"]), ["make", "all"]).start() == ("make", "all")


def test_a_conversation_is_here_if_the_programs_file_is(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    for name, path in {
        "claude": ".claude/projects/-work/abc.jsonl",
        "codex": ".codex/sessions/2026/11/22/rollout-2026-11-22T10-00-00-abc.jsonl",
    }.items():
        assert not is_here(name, "abc", environment)
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
        assert is_here(name, "abc", environment)
        assert not is_here(name, "*", environment)
        assert not is_here(name, "../-work/abc", environment)


def test_opencodes_conversation_is_here_if_its_database_says_so(tmp_path: Path) -> None:
    database = tmp_path / "opencode" / "opencode.db"
    environment = {"HOME": "/nowhere", "XDG_DATA_HOME": str(tmp_path)}
    assert not is_here("opencode", "ses_1", environment)
    database.parent.mkdir()
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE session (id text)")
        connection.execute("INSERT INTO session VALUES ('ses_1')")
    connection.close()
    assert is_here("opencode", "ses_1", environment)
    assert not is_here("opencode", "ses_2", environment)


def test_a_database_of_another_layout_has_no_conversation(tmp_path: Path) -> None:
    (tmp_path / "opencode").mkdir()
    (tmp_path / "opencode" / "opencode.db").write_bytes(b"something else")
    assert not is_here("opencode", "ses_1", {"HOME": "/nowhere", "XDG_DATA_HOME": str(tmp_path)})
