"""Rows of the table about the command line."""

from __future__ import annotations

from bench.rows import Row


def command_line_rows() -> list[Row]:
    """Wall time is what a person waits; processor time is what does not depend on who else is at work."""
    return [
        Row("makima contracts --help: wall, median", "s", "help.group.wall", 2, most=0.3),
        Row("  processor time", "s", "help.group.cpu", 2),
        Row("makima contracts list --help: wall, median", "s", "help.command.wall", 2, most=0.3),
        Row("  processor time", "s", "help.command.cpu", 2),
        Row("  a command of typer's: processor time", "s", "help.typer.cpu", 2),
    ]
