"""`cleanup`: archive, delete and clear up what is old (plan 4.2). Shows what it would do, asks, logs each deletion."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import DURATION, Call, Ended, common, now
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import format_option, say_data
from makima.cli.contracts.selecting import found, namespaces_option, read, selector_option
from makima.cli.contracts.text import plain

if TYPE_CHECKING:
    from makima.client import Person
    from makima.client.wishes import Wishes
    from makima.domain.wishes.cleanup import Affected

Results = list[tuple["Affected", str]]


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

    async def work(person: Person) -> Results:
        planned = await _planned(person, call, wanted, everywhere=all_namespaces, selector=selector)
        looked = await _look_at_worktrees(person, call, planned)
        if dry_run or not _agreed(call, looked, force=force):
            return [(item, _would(item, text)) for item, text in looked]
        return await _carry_out(person, call, looked)

    results = call.run(work) or []
    _write(call, results, form)
    failed = [text for _, text in results if text.startswith("failed")]
    if failed:
        raise Ended(
            f"{len(failed)} of {len(results)} could not be done", "see above; running it again is safe", Exit.FAILED
        )


async def _planned(person: Person, call: Call, wanted: Any, *, everywhere: bool, selector: str) -> list[Affected]:
    from makima.domain.wishes.cleanup import affected

    bodies = [body async for body in found(person, call, everywhere=everywhere, selector=selector)]
    contracts = [contract for contract in map(read, bodies) if contract is not None]
    return list(affected(contracts, wanted, now()))


async def _look_at_worktrees(person: Person, call: Call, planned: list[Affected]) -> Results:
    """With what was found in the workspaces; a workspace without orphans is left out."""
    from makima.cli.contracts.worktrees import look
    from makima.domain.wishes.cleanup import Action

    looked: Results = []
    for number, item in enumerate(planned, 1):
        if item.action is not Action.CLEAR_WORKTREES:
            looked.append((item, ""))
            continue
        call.screen.progress(f"looking into workspaces: {number}/{len(planned)} {item.namespace}/{item.name}")
        said = await look(person, item)
        if said is not None:
            looked.append((item, said))
    call.screen.progress("")
    return looked


def _agreed(call: Call, looked: Results, *, force: bool) -> bool:
    acting = [(item, text) for item, text in looked if _held(item, text) is None]
    if force or not acting:
        return bool(acting)
    for item, text in acting:
        call.screen.note(f"  {item.action} {plain(item.namespace)}/{plain(item.name)}{f': {text}' if text else ''}")
    if not call.screen.asks:
        call.screen.note(f"nothing was changed: nobody is there to ask; --force does it ({len(acting)} of them)")
        return False
    return click.confirm(f"{len(acting)} contracts: go on?", err=True)


def _held(item: Affected, text: str) -> str | None:
    """Why it is left alone."""
    return item.held or (text if text.startswith("failed") else None)


def _would(item: Affected, text: str) -> str:
    held = _held(item, text)
    return f"left alone: {held}" if held is not None else f"would {item.action}{f' ({text})' if text else ''}"


async def _carry_out(person: Person, call: Call, looked: Results) -> Results:
    results: Results = []
    try:
        async for result in _done(person, call, looked):
            results.append(result)
    except BaseException:  # --timeout, or interrupted: the log of what was done is written all the same
        for item, text in results:
            _log(call, item, text)
        if len(results) < len(looked):
            item = looked[len(results)][0]
            _log(call, item, f"{item.action} cut off; look again")
        raise
    finally:
        call.screen.progress("")
    return results


def _log(call: Call, item: Affected, text: str) -> None:
    call.screen.note(f"  {plain(f'{item.namespace}/{item.name} ({item.uid}): {text}')}")


async def _done(person: Person, call: Call, looked: Results) -> AsyncGenerator[tuple[Affected, str]]:
    """One after the other."""
    from makima.errors import MakimaError

    for number, (item, text) in enumerate(looked, 1):
        held = _held(item, text)
        if held is not None:
            yield item, f"left alone: {held}"
            continue
        call.screen.progress(f"{number}/{len(looked)} {item.action} {item.namespace}/{item.name}")
        try:
            said = await _one(person, item)
        except MakimaError as error:
            said = f"failed: {error.message}"
        yield item, said


async def _one(person: Person, item: Affected) -> str:
    from makima.cli.contracts.worktrees import clear
    from makima.client.wishes import Wishes
    from makima.domain.wishes.cleanup import Action

    wishes = Wishes(person.cluster, item.namespace, item.name)
    match item.action:
        case Action.ARCHIVE:
            return await _archive(wishes, item)
        case Action.DELETE:
            await wishes.delete(item.uid)
            return "deleted"
        case _:
            return await clear(person, item)


async def _archive(wishes: Wishes, item: Affected) -> str:
    from makima.client.wishes import NotPossible

    try:
        await wishes.archive_finished(item.uid)
    except NotPossible as error:
        return f"left alone: {error.message}"
    return "archived"


def _write(call: Call, results: Results, form: str) -> None:
    """One line each: the log of what was done."""
    if form in ("json", "yaml"):
        say_data(call.screen, form, [_value(item, text) for item, text in results])
    elif form == "name":
        for item, _ in results:
            call.screen.say(f"{item.namespace}/{item.name}")
    elif form == "compact":
        for item, text in results:
            call.screen.say(plain(f"{item.namespace}/{item.name}: {text}"))
    elif not results:
        call.screen.note("there is nothing to clean up")
    else:
        rows = [(item.namespace, item.name, _age(item), text, item.uid) for item, text in results]
        call.screen.table(("NAMESPACE", "NAME", "SINCE", "WHAT", "UID"), rows)


def _age(item: Affected) -> str:
    from makima.domain.durations import format_duration

    return format_duration(now() - item.since) if item.since is not None else ""


def _value(item: Affected, text: str) -> dict[str, Any]:
    since = item.since.isoformat() if item.since is not None else None
    head = {"id": item.uid, "namespace": item.namespace, "name": item.name}
    return {**head, "action": item.action.value, "since": since, "result": text}
