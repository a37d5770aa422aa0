"""`makima supervise … -- command`: run any agent program as the supervisor of a contract."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, help="Run any agent program as the supervisor of a contract.")


@app.command(
    epilog="Exit codes: the program's own (128 + n: ended by signal n); 69 the API service does not answer; 70 the "
    "program ends again and again without a result; 73 another process on this host carries the contract or holds the "
    "conversation; 75 `restart` was carried out; 76 a newer life carries the contract; 77 registering was refused; 126 "
    "and 127 as in a shell."
)
def supervise(  # noqa: PLR0917  # typer's parameters are options
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="The program and its arguments.")],
    contract: Annotated[
        str | None, typer.Option("--contract", metavar="NS/NAME", help="The contract; default: MAKIMA_CONTRACT.")
    ] = None,
    api: Annotated[
        str | None, typer.Option("--api", metavar="URL", help="The API service; default: MAKIMA_API_URL.")
    ] = None,
    dialect: Annotated[
        str, typer.Option("--dialect", help="What it prints: auto, claude, codex, opencode or lines.")
    ] = "auto",
    workdir: Annotated[
        Path | None, typer.Option("--workdir", exists=True, file_okay=False, help="Where it runs; default: here.")
    ] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", help="What to do; default: the command's last argument.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="Bearer token; default: MAKIMA_TOKEN_FILE.")
    ] = None,
    service_account: Annotated[
        str | None,
        typer.Option("--service-account", help="Ask for tokens of this account with the kubeconfig, outside of pods."),
    ] = None,
    grace: Annotated[
        float, typer.Option("--grace", min=0, help="Seconds between SIGTERM and SIGKILL for the program.")
    ] = 10.0,
    patience: Annotated[
        float, typer.Option("--patience", min=0.1, help="Seconds to wait for the API service when registering.")
    ] = 60.0,
    stay: Annotated[
        bool, typer.Option("--stay", help="When a turn is over, wait for the next phase instead of ending.")
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Take the contract from another supervisor that still lives.")
    ] = False,
    tools: Annotated[
        bool,
        typer.Option(
            help="Tell claude, codex and opencode of makima's tools (MCP), where the extra `agents` is there."
        ),
    ] = True,
) -> None:
    """Run any agent program as the supervisor of a contract: heartbeats, commands, and its state across restarts.

    `pause` stops the program and keeps its conversation; `resume` continues that.
    """
    from dataclasses import replace
    from importlib.util import find_spec

    from makima.supervisor.credentials import ServiceAccountToken
    from makima.supervisor.dialects.command_line import command_line
    from makima.supervisor.dialects.programs import program_of
    from makima.supervisor.place import place_from
    from makima.supervisor.wrapper.briefing import Assignment, program_environment
    from makima.supervisor.wrapper.run import supervise as run

    logging.basicConfig(level=logging.INFO, format="makima: %(message)s")
    place = place_from(api_url=api, contract=contract, token_file=token_file)
    if service_account is not None:
        place = replace(place, credential=ServiceAccountToken(place.namespace, service_account))
    program = program_of(command, dialect)
    assignment = Assignment(
        program=program,
        command=command_line(program, command, prompt),
        environment=program_environment(),
        folder=workdir,
        grace=grace,
        stays=stay,
        patience=patience,
        tools=tools and find_spec("mcp") is not None,
    )
    raise typer.Exit(run(place, assignment, take_over=take_over))
