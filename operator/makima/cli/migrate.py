"""`makima migrate …`: the schema of the history, up, down, and where it stands."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from makima.models.history_schema import SchemaStatus

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The schema of the history in Postgres.")

Url = Annotated[
    str | None,
    typer.Option("--database-url", help="Postgres; default: MAKIMA_DATABASE_URL or database_url of the configuration."),
]
Wait = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for another migration, and for busy tables.")
]


@app.callback()
def migrate() -> None:
    """The schema of the history in Postgres."""


@app.command()
def up(
    to: Annotated[str, typer.Argument(help="Migration to stop at.")] = "head",
    database_url: Url = None,
    wait: Wait = 600.0,
    accept_newer: Annotated[
        bool,
        typer.Option(
            "--accept-newer",
            help="A schema that a newer makima made is left alone, and will do: migrations only add.",
        ),
    ] = False,
) -> None:
    """Bring the schema up to date; safe while makima runs, and from several places at once."""
    from makima import database

    url = _url(database_url)
    before = database.schema_status(url)
    if before.newer and accept_newer:
        typer.echo(f"the schema is at {before.current}, newer than this makima ({before.head}): left as it is")
        return
    after = database.upgrade(url, to, wait)
    known = {migration.revision for migration in before.applied}
    for migration in after.applied:
        if migration.revision not in known:
            typer.echo(f"applied {migration.revision}  {migration.title}")
    typer.echo(f"the schema is at {after.current} of {after.head}")
    if any(not progress.finished for progress in after.backfills):
        typer.echo("old rows are filled in by the running operator, or by `makima migrate backfill`")


@app.command()
def down(
    to: Annotated[str, typer.Argument(help="Migration to go back to; `base` takes back everything.")],
    database_url: Url = None,
    wait: Wait = 600.0,
    force: Annotated[bool, typer.Option("--force", help="Do it; without, only show what would go.")] = False,
) -> None:
    """Take migrations back, with all data in the tables and columns that they made."""
    from makima import database

    url = _url(database_url)
    status = database.schema_status(url)
    going = [m for m in reversed(status.applied) if to == "base" or m.revision > to]
    for migration in going:
        typer.echo(f"{'takes' if force else 'would take'} back {migration.revision}  {migration.title}")
    if going and not force and not _confirmed():
        typer.echo("nothing was changed; --force does it", err=True)
        return
    typer.echo(f"the schema is at {database.downgrade(url, to, wait).current or 'base'}")


@app.command()
def status(database_url: Url = None) -> None:
    """Show which migrations and backfills are done. Exit code 3 if some are not, 4 if the schema is newer."""
    from makima import database

    found = database.schema_status(_url(database_url))
    _print_status(found)
    if found.newer:
        raise typer.Exit(4)
    if found.pending or any(not progress.finished for progress in found.backfills):
        raise typer.Exit(3)


@app.command()
def backfill(
    database_url: Url = None,
    batch_rows: Annotated[int, typer.Option("--batch-rows", min=1, max=100_000, help="Rows per transaction.")] = 1000,
) -> None:
    """Fill in old rows for newer columns; can be stopped and started again at any time."""
    from makima import database

    done = asyncio.run(database.run_backfills(_url(database_url), batch_rows))
    for name, rows in done.items():
        typer.echo(f"{name}: {rows} rows")
    if not done:
        typer.echo("nothing to fill in")


@app.command()
def counts(
    database_url: Url = None,
    repair: Annotated[bool, typer.Option("--repair", help="Count anew where they are wrong.")] = False,
) -> None:
    """Compare the dashboard's counts of contracts with the contracts. Exit code 5 if they differ and stay so."""
    from makima import database

    wrong = asyncio.run(database.check_counts(_url(database_url), repair=repair))
    for count in wrong:
        where = f"{count.namespace or 'all namespaces'} {count.status} {count.phase}"
        typer.echo(f"{where}: the count says {count.said}, there are {count.counted}")
    if not wrong:
        typer.echo("every count is right")
    elif repair:
        typer.echo("counted anew")
    else:
        typer.echo("--repair counts anew; writers of contracts wait a moment meanwhile", err=True)
        raise typer.Exit(5)


def _url(given: str | None) -> str:
    if given:
        return given
    from makima.config import load_config

    return load_config().required_database_url()


def _confirmed() -> bool:
    return sys.stdin.isatty() and typer.confirm("The data in them is lost. Go on?")


def _print_status(found: SchemaStatus) -> None:
    for migration in found.applied:
        typer.echo(f"applied  {migration.revision}  {migration.title}")
    for migration in found.pending:
        typer.echo(f"pending  {migration.revision}  {migration.title}")
    if found.newer:
        typer.echo(f"the database is at {found.current}, which this makima does not know (it knows up to {found.head})")
    for progress in found.backfills:
        state = "finished" if progress.finished else "to do"
        typer.echo(f"backfill {progress.name}: {state}, {progress.rows_seen} rows seen")
