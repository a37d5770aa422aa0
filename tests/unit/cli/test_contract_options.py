"""The command lines of `makima contracts`: what they mean, by either name, and that they load nothing heavy."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from makima.cli import kubectl
from makima.cli.contracts import COMMANDS, Contracts, group
from makima.cli.contracts.inbox import KINDS
from makima.cli.contracts.persona import KUBECTL, MAKIMA
from makima.cli.main import run
from tests.unit.domain.reads.test_waits import TABLE as WAITS

HEAVY = (
    "kubernetes",
    "kopf",
    "aiohttp",
    "pydantic",
    "textual",
    "rich",
    "typer",
    "yaml",
    "psycopg",
    "asyncio",
    "subprocess",
)


def parsed(program: str, *words: str) -> dict[str, Any]:
    """The parameters of a command line, without running it."""
    whole: Contracts = group(program)
    with click.Context(whole, info_name=program) as parent:
        command = whole.get_command(parent, words[0])
        assert command is not None
        return command.make_context(words[0], list(words[1:]), parent=parent).params


Row = tuple[tuple[str, ...], dict[str, Any]]
BOTH: list[Row] = [
    (("list", "--status", "active,completed,failed"), {"statuses": ("Active", "Completed", "Failed")}),
    (("list", "--status", "waiting_for_input", "--status", "Paused"), {"statuses": ("WaitingForInput", "Paused")}),
    (("list", "--stale", "--threshold", "1h30m"), {"stale": True, "threshold": timedelta(minutes=90)}),
    (("list", "--waiting", "--phase", "plan", "--limit", "3"), {"waiting": True, "phase": "plan", "limit": 3}),
    (("list", "--format", "compact"), {"form": "compact"}),
    (("list", "-o", "wide", "-A", "-l", "a=b"), {"form": "wide", "all_namespaces": True, "selector": "a=b"}),
    (("list",), {"form": "table", "limit": None, "statuses": (), "watch": False, "sort": "name"}),
    (("cleanup", "--archive"), {"archive": True, "older_than": timedelta(days=7), "dry_run": False, "force": False}),
    (
        ("cleanup", "--delete-archived", "--worktrees", "--older-than", "30m", "--dry-run", "--force"),
        {
            "delete_archived": True,
            "worktrees": True,
            "older_than": timedelta(minutes=30),
            "dry_run": True,
            "force": True,
        },
    ),
    (("cleanup", "--all"), {"everything": True}),
    (("monitor",), {"contracts": (), "form": "tui", "quiet": False, "stale": False}),
    (
        ("monitor", "a", "b/c", "--status", "active", "--stale", "--quiet", "--format", "json", "--after", "7"),
        {"contracts": ("a", "b/c"), "statuses": ("Active",), "stale": True, "quiet": True, "form": "json", "after": 7},
    ),
    (("pause", "x", "--reason", "Waiting for review"), {"contract": "x", "reason": "Waiting for review"}),
    (("resume", "x"), {"contract": "x", "wait": True, "dry_run": False}),
    (("advance", "x", "--phase", "execute", "--force"), {"phase": "execute", "force": True, "confirmed": False}),
    (("restart-supervisor", "x", "--no-wait"), {"contract": "x", "wait": False}),
    (("show", "x", "--verbose"), {"verbose": True, "form": "tree", "watch": False}),
    (("health", "x"), {"contracts": ("x",)}),
    (("export", "x", "--format", "yaml", "--file", "f"), {"form": "yaml", "file": Path("f")}),
    (("confirm", "x", "--expected-version", "3"), {"expected_version": 3, "yes": False}),
    (("answer", "x", "yes", "--question", "q"), {"text": "yes", "question": "q"}),
    (("create", "x", "--label", "a=b", "--ttl", "1d"), {"labels": {"a": "b"}, "ttl": timedelta(days=1)}),
    (("logs", "x", "-f", "--tail", "5"), {"follow": True, "tail": 5, "previous": False}),
    (("inbox", "-w"), {"watch": True}),
    (("inbox", "-A", "-l", "a=b"), {"all_namespaces": True, "selector": "a=b"}),
    (("monitor", "-A", "-l", "a=b"), {"all_namespaces": True, "selector": "a=b"}),
    (("health", "-w", "--problems"), {"watch": True, "problems": True}),
    (("history", "x", "--tail", "3"), {"tail": 3, "limit": 1000}),
    (("inbox", "--kind", "answer", "--timeout", "5s"), {"kinds": ("answer",), "timeout": timedelta(seconds=5)}),
]


@pytest.mark.parametrize("program", [MAKIMA, KUBECTL])
@pytest.mark.parametrize(
    ("words", "expected"), BOTH, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_what_means_the_same_by_either_name(program: str, words: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert expected.items() <= parsed(program, *words).items()


def test_the_short_options_that_differ() -> None:
    assert parsed(MAKIMA, "list", "-n", "5")["limit"] == 5
    assert parsed(KUBECTL, "list", "-n", "team-a")["namespace"] == "team-a"
    plan = parsed(MAKIMA, "export", "x", "--format", "json", "--output", "contract.json")
    assert (plan["form"], plan["file"]) == ("json", Path("contract.json"))
    plugin = parsed(KUBECTL, "export", "x", "-n", "team-a", "-o", "yaml")
    assert (plugin["form"], plugin["file"], plugin["namespace"]) == ("yaml", None, "team-a")


@pytest.mark.parametrize("command", COMMANDS)
def test_kubectls_own_options_are_on_every_command(command: str) -> None:
    whole = group(KUBECTL)
    with click.Context(whole) as parent:
        found = whole.get_command(parent, command)
    assert found is not None
    names = {name for option in found.params for name in option.opts}
    assert {"-n", "--namespace", "--context", "--kubeconfig", "--timeout", "--no-color"} <= names


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("list", "--status", "lively"), "'lively' is none of created, active"),
    (("list", "--threshold", "soon"), "30m, 7d or 1h30m"),
    (("list", "--threshold", "999999999w"), "longer than 36500 days"),
    (("cleanup", "--archive", "--older-than", "999999999w"), "longer than 36500 days"),
    (("list", "--limit", "0"), "x>=1"),
    (("list", "-o", "xml"), "is not one of"),
    (("cleanup",), "--archive, --delete-archived, --worktrees, or --all"),
    (("monitor", "--format", "csv"), "is not one of"),
    (("advance",), "Missing argument 'ID'"),
    (("answer", "x", " "), "an answer is not empty"),
    (("answer", "x", "y" * 2049), "at most 2048 characters"),
    (("create",), "name it: create NAME"),
    (("create", "x", "--label", "a"), "KEY=VALUE"),
    (("batch", "delete_all"), "is not one of"),
    (("batch", "archive_old", "--older-than", "90m"), "whole hours"),
    (("complete-deliverable", "x", "y", "--digest", "sha256:a", "--digest-of", __file__), "give one"),
    (("frobnicate",), "No such command"),
]


@pytest.mark.parametrize(
    ("words", "says"), WRONG, ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else ""
)
def test_a_wrong_command_line_says_what_is_right(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["contracts", *words]) == 2
    told = capsys.readouterr().err
    assert says in " ".join(told.split()) and "Usage: makima contracts" in told


def test_usage_follows_the_name_it_was_called_by(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show"], group(KUBECTL), KUBECTL) == 2
    assert "Usage: kubectl contracts show [OPTIONS] ID" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_says_what_each_says_itself(command: str) -> None:
    whole = group()
    with click.Context(whole) as parent:
        found = whole.get_command(parent, command)
    assert found is not None and found.name == command and found.help


def test_help_loads_nothing_heavy() -> None:
    words = [["--help"], *([name, "--help"] for name in COMMANDS)]
    loads = f"import sys; from makima.cli.main import run; codes = {{run(['contracts', *line]) for line in {words}}}"
    code = f"{loads}; print([name for name in {HEAVY} if name in sys.modules], codes)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "[] {0}", done.stdout[-2000:]


def test_kubectl_finds_the_programs_of_the_plugin() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"]["kubectl-contracts"] == "makima.cli.kubectl:contracts"
    assert project["scripts"]["kubectl_complete-contracts"] == "makima.cli.kubectl:complete"
    assert callable(kubectl.contracts) and callable(kubectl.complete)


def test_what_fails_while_completing_fails_in_silence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: list[str]) -> list[str]:
        raise RuntimeError("anything")

    monkeypatch.setattr(kubectl, "completions", fail)
    kubectl.complete()
    assert capsys.readouterr() == (":4\n", "")


def test_inbox_can_be_asked_for_each_kind_that_waits_for_a_person() -> None:
    assert {kind for _, _, _, kind, person, _, _ in WAITS if person} == set(KINDS)
