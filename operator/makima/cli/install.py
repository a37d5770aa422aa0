"""`makima install`: CRDs, policies and roles, from the package itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, help="Put CRDs, policies and roles into a cluster, or print them.")


@app.command()
def install(
    kubeconfig: Annotated[Path | None, typer.Option(help="kubeconfig file. Default: KUBECONFIG.")] = None,
    context: Annotated[str | None, typer.Option(help="Context in it. Default: the current one.")] = None,
    dry_run: Annotated[bool, typer.Option("--print", help="Print the manifests as YAML and change nothing.")] = False,
    aggregated_api: Annotated[
        bool, typer.Option("--aggregated-api", help="Also register monitor.makima.dev; the API service has to run.")
    ] = False,
) -> None:
    """Put CRDs, admission policies and roles into a cluster, by server-side apply; safe to repeat.

    Needs an administrator of the cluster. --aggregated-api: also the certificate (Secret makima-api-tls), Service and
    APIService of monitor.makima.dev. While nothing answers there the API server can't delete namespaces, so it is not
    registered before the API service runs. Before you take that away:
    kubectl delete apiservice v1alpha1.monitor.makima.dev
    """
    if dry_run:
        from makima.schema import render
        from makima.schema.output import to_yaml

        typer.echo(to_yaml(render()), nl=False)
        return
    from makima.wiring import install as put

    for applied in asyncio.run(put(kubeconfig, context)):
        typer.echo(applied)
    typer.echo("the policies are enforced")
    if aggregated_api:
        from makima.aggregated_wiring import install_aggregated_api

        for applied in asyncio.run(install_aggregated_api(kubeconfig, context)):
            typer.echo(applied)
        typer.echo("the aggregated API answers")
