"""docs/reference/commands.md: every command of `makima` but `contracts`, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from makima.cli.main import COMMANDS, cli
from makima.schema.option_tables import argument_table, is_shown, option_table, unwrapped

HEAD = """\
# Commands that run, install and examine makima

`makima contracts …`, which is for people who work with contracts, has [a page of its own](cli.md). Exit codes, where a
command does not say others: 0 done, 1 makima says what went wrong, 2 the command line is wrong, 130 interrupted.
Configuration (the file that MAKIMA_CONFIG names, and variables): [settings](configuration.md). `makima --version` says
the version; `makima --debug COMMAND …` shows the whole trace of an error.
"""


def commands_page() -> str:
    """The page as Markdown."""
    context = click.Context(cli, info_name="makima")
    parts = [HEAD]
    for name in COMMANDS:
        if name != "contracts":
            parts += _sections(cli.get_command(context, name), f"makima {name}", "##")
    return "\n".join(parts)


def _sections(command: Any, path: str, level: str) -> Iterator[str]:
    """The command, and below it those that it has."""
    context = command.context_class(command, info_name=path)
    yield f"{level} {path.partition(' ')[2]}\n"
    yield f"`{path} {' '.join(command.collect_usage_pieces(context))}`\n"
    yield from (f"{unwrapped(text)}\n" for text in (command.help, command.epilog) if text)
    yield from filter(None, (argument_table(command.params), _options(command)))
    for name, below in getattr(command, "commands", {}).items():
        yield from _sections(below, f"{path} {name}", f"{level}#")


def _options(command: Any) -> str:
    shown = [param for param in command.params if is_shown(param)]
    return option_table(shown) if shown else ""
