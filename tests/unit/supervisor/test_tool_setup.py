"""How each program is told of makima's MCP server."""

from __future__ import annotations

import json
import tomllib

import pytest

from makima.supervisor.dialects.command_line import command_line
from makima.supervisor.dialects.programs import CLAUDE, CODEX, LINES, OPENCODE
from makima.supervisor.dialects.tool_setup import OPENCODE_CONFIG, ToolServer, python_path, set_up

SERVER = ToolServer(("/usr/bin/python", "-m", "makima", "mcp", "--socket", '/tmp/a "b"'), {"PYTHONPATH": "/opt/makima"})


def test_codex_gets_settings_that_are_toml_behind_its_subcommand() -> None:
    words, environment = set_up(CODEX, ("npx", "codex", "exec", "--json"), {}, SERVER)
    assert environment == {}
    assert words[:3] == ("npx", "codex", "exec")
    assert words[-1] == "--json"
    assert set(words[3:-1:2]) == {"-c"}
    found = tomllib.loads("\n".join(words[4:-1:2]))["mcp_servers"]["makima"]
    assert (found["command"], *found["args"]) == SERVER.command
    assert found["required"] is True
    assert found["env"] == {"PYTHONPATH": "/opt/makima"}


def test_the_prompt_stays_what_it_is_when_codex_is_continued() -> None:
    line = command_line(CODEX, ("codex", "exec", "--json", "do it"))
    words, _ = set_up(CODEX, line.arguments, {}, SERVER)
    assert command_line(CODEX, (*words, "do it")).prompt == "do it"


def test_claude_gets_its_configuration_before_an_option_so_that_it_takes_no_prompt_for_a_file() -> None:
    words, _ = set_up(CLAUDE, ("npx", "claude", "-p", "--verbose"), {}, SERVER)
    assert words[:3] == ("npx", "claude", "--mcp-config")
    assert words[4:] == ("-p", "--verbose")
    assert json.loads(words[3])["mcpServers"]["makima"]["args"] == list(SERVER.command[1:])


@pytest.mark.parametrize("given", [None, "", json.dumps({"model": "m", "mcp": {"other": {"type": "local"}}})])
def test_opencode_gets_it_beside_what_it_has(given: str | None) -> None:
    environment = {} if given is None else {OPENCODE_CONFIG: given}
    words, more = set_up(OPENCODE, ("opencode", "run", "--format", "json"), environment, SERVER)
    assert words == ("opencode", "run", "--format", "json")
    told = json.loads(more[OPENCODE_CONFIG])
    assert told["mcp"]["makima"]["command"] == list(SERVER.command)
    assert given in (None, "") or (told["model"], told["mcp"]["other"]) == ("m", {"type": "local"})


@pytest.mark.parametrize("given", ["{ // a comment", "[]", '{"mcp": 3}'])
def test_a_configuration_that_cannot_be_read_is_left_alone(given: str) -> None:
    assert set_up(OPENCODE, ("opencode", "run"), {OPENCODE_CONFIG: given}, SERVER)[1] == {}


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (CODEX, ("codex", "exec", "-c", 'mcp_servers.makima.command="mine"')),
        (CLAUDE, ("claude", "-p", "--mcp-config=mine.json")),
        (LINES, ("sh", "agent.sh")),
    ],
    ids=lambda item: item.name if hasattr(item, "name") else "",
)
def test_who_has_a_server_of_that_name_or_is_not_known_is_started_as_it_was(program: object, words: object) -> None:
    assert set_up(program, words, {}, SERVER) == (words, {})  # type: ignore[arg-type]


def test_python_path_is_passed_on_where_there_is_one() -> None:
    assert python_path({"PYTHONPATH": "/a", "HOME": "/b"}) == {"PYTHONPATH": "/a"}
    assert python_path({}) == {}
