"""`makima sandbox …`: a real API server and Postgres on this machine, ready for contracts."""

from __future__ import annotations

import asyncio
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makima.cli.times import utc
from makima.errors import MakimaError

if TYPE_CHECKING:
    from makima.sandbox import Sandbox

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A real API server and Postgres on this machine, for a first try."
)

Name = Annotated[str, typer.Option("--name", help="Which sandbox; several live side by side.")]


@app.callback()
def sandbox() -> None:
    """A real API server and Postgres on this machine, for a first try."""


Node = Annotated[bool, typer.Option("--node", help="With a real node that runs pods; needs root on Linux.")]


Helm = Annotated[bool, typer.Option("--helm", help="Helm 4 and 3 as well, which the tests of the chart need.")]


@app.command()
def build(node: Node = False, helm: Helm = False) -> None:
    """Have etcd, kube-apiserver and kubectl at hand, building what is nowhere to be had; `up` does so by itself."""
    from makima.sandbox.go_build import Progress
    from makima.sandbox.helm import HELMS, find_helm
    from makima.sandbox.node.programs import find_node_programs
    from makima.sandbox.node.requirements import require_node_support
    from makima.sandbox.programs import find_programs

    if node:
        require_node_support()
    found = find_programs(Progress()) | (find_node_programs(Progress()) if node else {})
    for one in HELMS if helm else ():
        found[f"helm {one.version}"] = find_helm(one.version, Progress())
    for program, file in found.items():
        typer.echo(f"{program}: {file}")


@app.command()
def up(
    name: Name = "default",
    kubeconfig: Annotated[Path | None, typer.Option(help="Use this cluster of your own; then none is built.")] = None,
    context: Annotated[str | None, typer.Option(help="Context in it (or in your default kubeconfig).")] = None,
    node: Node = False,
) -> None:
    """Start it, with CRDs, policies and history schema in place; the first time, etcd and the API server are built.

    MAKIMA_DATABASE_URL, if set, names a Postgres of your own to use.
    """
    from makima.sandbox_wiring import start_ready

    began = time.monotonic()
    found = start_ready(name, kubeconfig=kubeconfig, context=context, node=node)
    option = _option(name)
    typer.echo(f"sandbox {name}: API server at {found.cluster.server_url}, ready in {time.monotonic() - began:.1f} s")
    if found.node is not None:
        typer.echo(f"  its node runs pods at {found.node.addresses.pods}, and {found.node.enforcement}")
        typer.echo(f"  images:  makima sandbox image --out X.tar && makima sandbox load X.tar{option}")
    typer.echo(f'  use it:  eval "$(makima sandbox env{option})"   then kubectl, makima operator, …')
    typer.echo(f"  end it:  makima sandbox down{option}")


@app.command()
def down(
    name: Name = "default", every: Annotated[bool, typer.Option("--all", help="All sandboxes of this user.")] = False
) -> None:
    """End it and forget its data. A cluster or Postgres of your own stays as it is."""
    from makima.sandbox import attach, known_sandboxes

    names = known_sandboxes() if every else [name]
    for one in names:
        found = attach(one)
        if found is None:
            typer.echo(f"sandbox {one}: there is none")
            continue
        found.stop()
        typer.echo(f"sandbox {one}: ended")


@app.command()
def status() -> None:
    """Show every sandbox of this user. Exit code 3 if there is none, or one does not work."""
    from makima.sandbox import attach, known_sandboxes

    works = True
    names = known_sandboxes()
    for one in names:
        found = attach(one)
        if found is not None:
            works = _show(found) and works
    if not names:
        typer.echo("there is no sandbox; start one: makima sandbox up")
    if not names or not works:
        raise typer.Exit(3)


@app.command()
def env(name: Name = "default") -> None:
    """Print the exports that make kubectl and makima use it: eval "$(makima sandbox env)"."""
    found = _existing(name)
    typer.echo(f"export KUBECONFIG={shlex.quote(str(found.cluster.kubeconfig))}")
    typer.echo(f"export MAKIMA_DATABASE_URL={shlex.quote(found.database.url)}")
    listener = found.api_listener
    for key, value in (listener.environment if listener is not None else {}).items():
        typer.echo(f"export {key}={shlex.quote(value)}")
    if found.node is not None:
        typer.echo(f"export MAKIMA_SANDBOX_HOST={found.node.addresses.host}  # this machine, as pods reach it")
    typer.echo(f'export PATH={shlex.quote(str(found.cluster.programs))}:"$PATH"')


@app.command()
def connect(name: Name = "default") -> None:
    """Let its API server serve monitor.makima.dev from the `makima api` that runs on this machine; start that first."""
    from makima.aggregated_wiring import connect_local_api

    found = _existing(name)
    listener = found.api_listener
    if listener is None:
        raise MakimaError(
            f"the API server of sandbox {name} is a cluster of your own, which does not reach this machine",
            "run the API service in it, and: makima install --aggregated-api",
        )
    asyncio.run(connect_local_api(found.cluster.kubeconfig, listener.pair.certificate.read_bytes(), listener.port))
    typer.echo("connected; try: kubectl get --raw /apis/monitor.makima.dev/v1alpha1/contracts")
    typer.echo(f"before you end `makima api`:  makima sandbox disconnect{_option(name)}")


@app.command()
def disconnect(name: Name = "default") -> None:
    """Take that away again. A connection to a `makima api` that has ended makes kubectl complain with each command."""
    from makima.aggregated_wiring import disconnect_api

    removed = asyncio.run(disconnect_api(_existing(name).cluster.kubeconfig))
    typer.echo("disconnected" if removed else "it was not connected")


@app.command()
def user(
    user_name: Annotated[str, typer.Argument(metavar="USER", help="User name, for example dana.")],
    group: Annotated[list[str] | None, typer.Option(help="Group that the user is in; may be repeated.")] = None,
    name: Name = "default",
) -> None:
    """Print the path of a kubeconfig for a user, to try what somebody else may do."""
    typer.echo(str(_existing(name).cluster.kubeconfig_for(user_name, tuple(group or ()))))


@app.command()
def image(
    out: Annotated[Path, typer.Option("--out", help="The archive to write.")],
    with_command: Annotated[
        list[str] | None, typer.Option("--with", help="A program of this machine that is to be in it; may be repeated.")
    ] = None,
) -> None:
    """Write the image of makima as an archive, made of this Python and what is installed here; needs no Docker."""
    from makima.sandbox.image.makima_image import write_makima_image

    typer.echo(write_makima_image(out, with_command or ()))


@app.command()
def load(archive: Annotated[Path, typer.Argument(metavar="IMAGE.tar")], name: Name = "default") -> None:
    """Import an image archive (OCI, or of docker save) into the node of a sandbox; pods use it by its name."""
    found = _existing(name)
    if found.node is None:
        raise MakimaError(f"sandbox {name} has no node", f"makima sandbox down{_option(name)}, then up --node")
    for loaded in found.node.load(archive):
        typer.echo(loaded)


def _existing(name: str) -> Sandbox:
    from makima.sandbox import attach

    found = attach(name)
    if found is None or not found.running:
        raise MakimaError(f"sandbox {name} does not run", f"makima sandbox up{_option(name)}")
    return found


def _option(name: str) -> str:
    return "" if name == "default" else f" --name {name}"


def _show(found: Sandbox) -> bool:
    works = True
    since = f"{'up since' if found.running else 'started'} {utc(found.created)}"
    typer.echo(f"{found.name}: {found.cluster.server_url}, {since}, logs in {found.folder}")
    if found.node is not None:
        typer.echo(f"  pods at {found.node.addresses.pods}; {found.node.enforcement}; more logs in {found.node.folder}")
    for server in found.processes:
        answers = server.pid is not None and server.answers()
        works = works and answers
        state = "works" if answers else "does not answer" if server.pid is not None else "is not running"
        typer.echo(f"  {server.name:15} {state}" + (f" (process {server.pid})" if server.pid is not None else ""))
    return works
