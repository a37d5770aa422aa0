"""`makima doctor`: does what is installed fit together, and does it run?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from makima.config import Config, load_config

if TYPE_CHECKING:
    from makima.domain.doctor import Finding

app = typer.Typer(add_completion=False, help="See whether cluster, database and operator fit together.")


@app.command()
def doctor(
    kubeconfig: Annotated[
        Path | None, typer.Option(help="kubeconfig file. Default: KUBECONFIG, or the pod's own account.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context in it. Default: the current one.")] = None,
    account: Annotated[
        Literal["operator", "api"] | None,
        typer.Option(help="You are this account of makima: look at its rights as well."),
    ] = None,
) -> None:
    """See whether cluster, CRDs, policies, rights, Lease, database and clocks are as makima needs them.

    Changes nothing. Exit code 3 if something is not well.
    """
    findings = asyncio.run(_examine(load_config(kubeconfig, context), account))
    wrong = [finding for finding in findings if not finding.well]
    typer.echo("all is well" if not wrong else f"{len(wrong)} of {len(findings)} are not well")
    if wrong:
        raise typer.Exit(3)


async def _examine(config: Config, account: str | None) -> list[Finding]:
    from makima.doctor_wiring import examine

    found = []
    async for finding in examine(config, account):
        typer.echo(f"{'ok  ' if finding.well else 'BAD '} {finding.about}: {finding.text}")
        if not finding.well:
            typer.echo(f"       next: {finding.next}")
        found.append(finding)
    return found
