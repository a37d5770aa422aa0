"""`makima mcp`: the tools of a supervised agent over MCP. Agent programs start it, as `makima supervise` tells them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False, help="The tools of a supervised agent, as an MCP server on standard input and output."
)


@app.command()
def mcp(
    socket: Annotated[
        Path,
        typer.Option(
            "--socket", envvar="MAKIMA_TOOLS_SOCKET", help="Where the wrapper takes calls; it tells its program."
        ),
    ],
) -> None:
    """Serve ask_question, spawn_task, complete_task, fail_task, complete_deliverable, request_advance, contract_status.

    Calls are made in the life that `makima supervise` has registered. Needs the extra `agents`.
    """
    from makima.errors import MakimaError

    try:
        from makima.supervisor.tools.mcp_server import server
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("mcp"):
            raise
        raise MakimaError(
            "the MCP server needs the package mcp", hint="pip install 'makima-operator[agents]'"
        ) from None
    server(socket).run("stdio")
