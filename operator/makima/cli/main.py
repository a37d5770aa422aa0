"""The root of the command line: which command lives where, and how errors look.

Exit codes: 0 done; 1 makima says what went wrong; 2 the command line is wrong; 130 interrupted. `makima contracts` has
more of them (`makima.cli.contracts.exits`).
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from makima.cli.tabled import Tabled
from makima.errors import MakimaError

COMMANDS: dict[str, tuple[str, str]] = {
    "contracts": ("makima.cli.contracts", "Contracts: what there is, what waits for whom, what to do."),
    "operator": ("makima.cli.operator", "Run the operator."),
    "supervise": ("makima.cli.supervise", "Run any agent program as the supervisor of a contract."),
    "mcp": ("makima.cli.mcp", "The tools of a supervised agent, as an MCP server on standard input and output."),
    "api": ("makima.cli.api", "Run the API service."),
    "migrate": ("makima.cli.migrate", "The schema of the history in Postgres."),
    "install": ("makima.cli.install", "Put CRDs, policies and roles into a cluster, or print them."),
    "doctor": ("makima.cli.doctor", "See whether cluster, database and operator fit together."),
    "sandbox": ("makima.cli.sandbox", "A real API server and Postgres on this machine, for a first try."),
}
"""Command → module with a typer `app`, and the line shown in `makima --help` (so that it imports none of them)."""


class LazyCommands(Tabled):
    """A group that imports a command's module when the command is called."""

    table = COMMANDS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        app = import_module(COMMANDS[cmd_name][0]).app
        if isinstance(app, click.Command):
            return app
        from typer.main import get_command

        command = get_command(app)
        command.name = cmd_name
        return command  # type: ignore[return-value]  # typer 0.20 vendors click's classes


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from makima import __version__

        click.echo(f"makima {__version__}")
        ctx.exit()


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.option("--debug", is_flag=True, help="Show the whole trace of an error.")
def cli(debug: bool) -> None:
    """makima: long-running agent work on Kubernetes, carried through phases."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str], command: click.Command = cli, program: str = "makima") -> int:
    """Run the command line, or only this command of it, called by this name.

    Returns:
        The exit code.
    """
    try:
        result: Any = command.main(arguments, prog_name=program, standalone_mode=False)
    except MakimaError as error:
        if "--debug" in arguments:
            raise
        return _tell(error)
    except Exception as error:
        if _is_usage_error(error):
            error.show()  # type: ignore[attr-defined]  # click's own, or typer's vendored twin of it
            return int(getattr(error, "exit_code", 2))
        if hasattr(error, "exit_code"):
            return int(error.exit_code)
        if type(error).__name__ == "Abort":
            click.echo("interrupted", err=True)
            return 130
        raise
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return 130
    return result if isinstance(result, int) else 0


def _is_usage_error(error: Exception) -> bool:
    return hasattr(error, "show") and hasattr(error, "exit_code")


def _tell(error: MakimaError) -> int:
    click.echo(f"error: {error.message}", err=True)
    if error.hint:
        click.echo(f"  next: {error.hint}", err=True)
    return int(getattr(error, "exit_code", 1))
