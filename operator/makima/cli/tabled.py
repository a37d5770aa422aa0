"""Groups of commands that stand in a table: listing and completing them imports none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import click
from click.shell_completion import CompletionItem


class Tabled(click.Group):
    """A group with such a table.

    Attributes:
        table: command → its module, and the line beside its name.
    """

    table: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's
        """In the order of the table."""
        return list(self.table)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """The list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and the group's own options."""
        lines = self.table.items()
        found = [CompletionItem(name, help=line) for name, (_, line) in lines if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]
