"""The pages of commands in docs/reference have every command and option that help shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from makima.cli import contracts
from makima.cli.main import COMMANDS, cli
from makima.schema.cli_page import cli_page
from makima.schema.commands_page import commands_page

DOCS = Path(__file__).parents[3] / "docs"


def below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The command and those that it has, by the words that call them."""
    yield name, command
    for word, found in getattr(command, "commands", {}).items():
        yield from below(found, f"{name} {word}")


def section(page: str, name: str) -> str:
    """What stands below the heading of a command."""
    heading = "#" * (2 + name.count(" "))
    return page.partition(f"\n{heading} {name}\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "contracts"])
def test_every_command_of_makima_is_there_with_its_options(name: str) -> None:
    page = commands_page()
    for words, command in below(cli.get_command(click.Context(cli), name), name):
        text = section(page, words)
        assert f"`makima {words}" in text, words
        shown = [param for param in command.params if param.param_type_name == "option" and not param.hidden]
        assert all(f"`{option}`" in text for param in shown for option in param.opts), words


@pytest.mark.parametrize("name", contracts.COMMANDS)
def test_every_command_of_contracts_is_there_and_no_option_that_help_hides(name: str) -> None:
    text = section(cli_page(), name)
    command = contracts.app.get_command(click.Context(contracts.app), name)
    assert command is not None and f"`makima contracts {name}" in text
    hidden = [param for param in command.params if isinstance(param, click.Option) and param.hidden]
    assert not any(f"`{option}`" in text for param in hidden for option in param.opts)


def test_readers_find_both_pages() -> None:
    for page in ("cli.md", "commands.md"):
        assert f"reference/{page}" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
        assert (DOCS / "reference" / page).is_file()
