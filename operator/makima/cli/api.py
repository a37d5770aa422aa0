"""`makima api`: the process that supervisors talk to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from makima.config import Config, load_config

app = typer.Typer(add_completion=False, help="Run the API service.")


@app.command()
def api(
    kubeconfig: Annotated[
        Path | None, typer.Option(help="kubeconfig file. Default: KUBECONFIG, or the pod's own account.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context in it. Default: the current one.")] = None,
) -> None:
    """Run the API service until it is told to stop.

    Configuration: the file that MAKIMA_CONFIG names, and MAKIMA_… variables over it. The database (MAKIMA_DATABASE_URL)
    has to be migrated, and CRDs and policies installed. Any number of these processes may run at a time.
    """
    config = load_config(kubeconfig, context)
    config.required_database_url()
    _run(config)


def _run(config: Config) -> None:
    from makima.api_wiring import run_api

    run_api(config)
