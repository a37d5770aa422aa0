"""`makima contracts …`: what people do with contracts beyond kubectl."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from makima.errors import MakimaError
from makima.models.history import StoredEvent

PLAIN_WIDTH = 160

app = typer.Typer(no_args_is_help=True, help="Contracts and their history.")


@app.callback()
def contracts() -> None:
    """Contracts and their history."""


@app.command()
def history(
    contract: Annotated[
        str, typer.Argument(metavar="NAMESPACE/NAME", help="The contract; it may be gone from the cluster.")
    ],
    output: Annotated[str, typer.Option("-o", "--output", help="table or json.")] = "table",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="Most events to show, oldest first.")] = 1000,
) -> None:
    """Show what happened to a contract, from Postgres."""
    namespace, _, name = contract.rpartition("/")
    if output not in ("table", "json"):
        raise MakimaError(f"output {output} is not known", hint="use table or json")
    events = asyncio.run(_read(namespace or "default", name, limit))
    if output == "json":
        typer.echo(json.dumps([_plain(stored) for stored in events], indent=2))
    else:
        _table(f"{namespace or 'default'}/{name}", events)


async def _read(namespace: str, name: str, limit: int) -> list[StoredEvent]:
    from makima.config import load_config
    from makima.wiring import open_history

    async with open_history(load_config()) as store:
        rows = await store.find_contracts(namespace, name)
        if not rows:
            raise MakimaError(
                f"CONTRACT_NOT_FOUND: the history has no contract {namespace}/{name}",
                hint="look at the name, and at MAKIMA_DATABASE_URL",
            )
        return list(await store.events(rows[0].uid, after=0, limit=limit))


def _plain(stored: StoredEvent) -> dict[str, object]:
    event = stored.event
    return {
        "seq": stored.seq,
        "version": event.version,
        "type": event.type,
        "at": event.at.isoformat(),
        "actor": event.actor,
        "payload": dict(event.payload),
    }


def _table(title: str, events: list[StoredEvent]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"History of {title}", title_justify="left")
    for heading in ("version", "time", "event", "what", "by"):
        table.add_column(heading)
    for stored in events:
        event = stored.event
        version = str(event.version) if event.version is not None else ""
        table.add_row(version, f"{event.at:%H:%M:%S.%f}"[:-3], event.type, _what(stored), event.actor or "")
    terminal = Console()
    # In a file or a pipe there is no edge to wrap at.
    console = terminal if terminal.is_terminal else Console(width=PLAIN_WIDTH)
    console.print(table)


def _what(stored: StoredEvent) -> str:
    payload = stored.event.payload
    for old, new in (("old_phase", "new_phase"), ("old_status", "new_status")):
        if old in payload:
            return f"{payload[old]} → {payload[new]}"
    if "deliverable_id" in payload:
        return f"{payload['phase']}/{payload['deliverable_id']} {str(payload.get('digest', ''))[:19]}"
    return str(payload.get("new_status") or payload.get("message") or payload.get("last_activity") or "")
