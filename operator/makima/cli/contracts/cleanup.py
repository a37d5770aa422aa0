"""`cleanup`: archive, delete and clear up what is old (plan 4.2). Shows what it would do, asks, logs each deletion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import DURATION, Call, Ended, common, now
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import format_option, say_data
from makima.cli.contracts.selecting import found, namespaces_option, read, selector_option
from makima.cli.contracts.text import plain

if TYPE_CHECKING:
    from makima.cli.contracts.cleanup_steps import Told
    from makima.client import Person
    from makima.domain.wishes.cleanup import Affected, Wanted


@click.command("cleanup")
@click.option("--archive", is_flag=True, help="Archive completed and failed contracts.")
@click.option("--delete-archived", is_flag=True, help="Delete archived contracts; their history stays.")
@click.option("--worktrees", is_flag=True, help="Clear up orphaned worktrees in workspaces.")
@click.option("--all", "everything", is_flag=True, help="All three.")
@click.option(
    "--older-than", type=DURATION, default="7d", show_default=True, help="Finished, or archived, so long ago."
)
@click.option("--dry-run", is_flag=True, help="Only show what would be affected.")
@click.option("--force", is_flag=True, help="Do not ask.")
@namespaces_option
@selector_option
@format_option()
@common
def command(
    call: Call,
    *,
    archive: bool,
    delete_archived: bool,
    worktrees: bool,
    everything: bool,
    older_than: timedelta,
    dry_run: bool,
    force: bool,
    all_namespaces: bool,
    selector: str,
    form: str,
) -> None:
    """Archive, delete and clear up what is old.

    Shows what it would do, and asks. Without a terminal nothing is done unless --force is given. Orphaned worktrees are
    looked for in the workspaces themselves, by the operator: work of tasks that runs, or is new, stays, and what was
    not committed is committed to the branch of its task before its worktree goes.
    """
    if not (archive or delete_archived or worktrees or everything):
        raise click.UsageError("say what: --archive, --delete-archived, --worktrees, or --all")
    from makima.domain.wishes.cleanup import Wanted

    wanted = Wanted(archive or everything, delete_archived or everything, worktrees or everything, older_than)

    async def work(person: Person) -> list[Told]:
        from makima.cli.contracts.cleanup_steps import carry_out, look_at_worktrees, would

        planned = await _planned(person, call, wanted, everywhere=all_namespaces, selector=selector)
        looked = await look_at_worktrees(person, call, planned)
        if dry_run or not _agreed(call, looked, force=force):
            return [would(told, looked) for told in looked]
        return await carry_out(person, call, looked)

    results = call.run(work) or []
    _write(call, results, form)
    failed = sum(told.failed for told in results)
    if failed:
        raise Ended(f"{failed} of {len(results)} could not be done", "see above; running it again is safe", Exit.FAILED)


async def _planned(person: Person, call: Call, wanted: Wanted, *, everywhere: bool, selector: str) -> list[Affected]:
    from makima.domain.wishes.cleanup import affected

    bodies = [body async for body in found(person, call, everywhere=everywhere, selector=selector)]
    contracts = [contract for contract in map(read, bodies) if contract is not None]
    return list(affected(contracts, wanted, now()))


def _agreed(call: Call, looked: Sequence[Told], *, force: bool) -> bool:
    from makima.cli.contracts.cleanup_steps import kept

    acting = [told for told in looked if kept(told, looked) is None]
    if force or not acting:
        return bool(acting)
    for told in acting:
        item, text = told.item, f": {told.text}" if told.text else ""
        call.screen.note(f"  {item.action} {plain(item.namespace)}/{plain(item.name)}{text}")
    if not call.screen.asks:
        call.screen.note(f"nothing was changed: nobody is there to ask; --force does it ({len(acting)} of them)")
        return False
    return click.confirm(f"{len(acting)} contracts: go on?", err=True)


def _write(call: Call, results: Sequence[Told], form: str) -> None:
    """One line each: what was done, or would be."""
    if form in ("json", "yaml"):
        say_data(call.screen, form, [_value(told.item, told.text) for told in results])
    elif form == "name":
        for told in results:
            call.screen.say(f"{told.item.namespace}/{told.item.name}")
    elif form == "compact":
        for told in results:
            call.screen.say(plain(f"{told.item.namespace}/{told.item.name}: {told.text}"))
    elif not results:
        call.screen.note("there is nothing to clean up")
    else:
        found = [(told.item, told.text) for told in results]
        rows = [(item.namespace, item.name, _age(item), text, item.uid) for item, text in found]
        call.screen.table(("NAMESPACE", "NAME", "SINCE", "WHAT", "UID"), rows)


def _age(item: Affected) -> str:
    from makima.domain.durations import format_duration

    return format_duration(now() - item.since) if item.since is not None else ""


def _value(item: Affected, text: str) -> dict[str, Any]:
    since = item.since.isoformat() if item.since is not None else None
    head = {"id": item.uid, "namespace": item.namespace, "name": item.name}
    return {**head, "action": item.action.value, "since": since, "result": text}
