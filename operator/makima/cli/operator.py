"""`makima operator`: the process that drives contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from makima.config import Config, load_config

app = typer.Typer(add_completion=False, help="Run the operator.")


@app.command()
def operator(
    kubeconfig: Annotated[
        Path | None, typer.Option(help="kubeconfig file. Default: KUBECONFIG, or the pod's own account.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context in it. Default: the current one.")] = None,
) -> None:
    """Run the operator until it is told to stop.

    Configuration: the file that MAKIMA_CONFIG names, and MAKIMA_… variables over it. The database (MAKIMA_DATABASE_URL)
    has to be migrated, and CRDs and policies installed; the operator says so if they are not.
    """
    config = load_config(kubeconfig, context)
    config.required_database_url()
    _run(config)


def _run(config: Config) -> None:
    from makima.handlers.embedded import run_operator

    run_operator(config)
