"""`batch`: a bulk operation of makima's API (plan 5.3); needs the RBAC verb batch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import DURATION, Call, Ended, common
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import format_option, say_data
from makima.cli.contracts.selecting import namespaces_option, status_option
from makima.cli.contracts.text import plain

if TYPE_CHECKING:
    from makima.client import Person

OPERATIONS = ("archive_old", "pause_all", "resume_all", "cleanup_archived", "restart_stale")
HOUR = timedelta(hours=1)

Names = dict[str, str]
"""UID → namespace/name; what is not in it is called by its UID."""


@click.command("batch")
@click.argument("operation", type=click.Choice(OPERATIONS))
@click.option("--older-than", type=DURATION, help="Of archive_old and cleanup_archived: in whole hours. Default: 7d.")
@status_option
@namespaces_option
@click.option("--dry-run", is_flag=True, help="Only say what would be affected.")
@click.option("--force", is_flag=True, help="Do not ask.")
@format_option()
@common
def command(
    call: Call,
    *,
    operation: str,
    older_than: timedelta | None,
    statuses: tuple[str, ...],
    all_namespaces: bool,
    dry_run: bool,
    force: bool,
    form: str,
) -> None:
    """Run a bulk operation; shows what it would affect and asks first.

    makima's API chooses the contracts, and records who asked for what and what became of it. With a kubeconfig the
    writes are made from here, as you; with --api and a token, by the API with that token. Without a terminal nothing
    is done unless --force is given.
    """
    wanted = _body(operation, older_than, statuses)

    async def work(person: Person) -> tuple[dict[str, Any], Names]:
        from makima.client.finding import names_of

        where = None if all_namespaces else person.namespace
        with call.screen.working(f"{operation}: makima's API chooses the contracts"):
            first = await _run(person, wanted, where, dry_run=True)
            names = await names_of(person, where, first.get("affected_ids") or ())
        if dry_run or not _agreed(call, first, names, force=force):
            return {**first, "dry_run": True}, names
        with call.screen.working(f"{operation}: {_contracts(int(first.get('affected_count', 0)))}"):
            return await _carried_out(person, call, _placed(wanted, where), where), names

    done = call.run(work)
    if done is None:
        return
    answer, names = done
    _write(call, answer, names, form, each=form == "wide" or (dry_run and form == "table"))
    if answer.get("errors"):
        raise Ended(f"{len(answer['errors'])} contracts could not be changed", "see the errors above", Exit.FAILED)


def _body(operation: str, older_than: timedelta | None, statuses: tuple[str, ...]) -> dict[str, Any]:
    from makima.models.enums import ContractState

    body: dict[str, Any] = {"operation": operation}
    if older_than is not None:
        if older_than % HOUR:
            raise click.BadParameter("the API counts in whole hours", param_hint="--older-than")
        body["older_than_hours"] = older_than // HOUR
    if statuses:
        body["status_filter"] = [ContractState(status).snake for status in statuses]
    return body


def _placed(wanted: dict[str, Any], where: str | None) -> dict[str, Any]:
    return {**wanted, "namespaces": [where]} if where is not None else wanted


async def _carried_out(person: Person, call: Call, wanted: dict[str, Any], where: str | None) -> dict[str, Any]:
    """By this person where only they can make the writes, else by the API."""
    if not person.api.aggregated:
        return await _run(person, wanted, where, dry_run=False)
    from makima.client.bulk import carry_out

    def tell(done: int, total: int) -> None:
        call.screen.progress(f"{wanted['operation']}: {done}/{total}")

    return await carry_out(person, wanted, where, tell)


async def _run(person: Person, wanted: dict[str, Any], where: str | None, *, dry_run: bool) -> dict[str, Any]:
    body = {**_placed(wanted, where), "dry_run": dry_run}
    answer: dict[str, Any] = await person.api.call("POST", person.api.collection("batch", where), body=body)
    return answer


def _agreed(call: Call, answer: dict[str, Any], names: Names, *, force: bool) -> bool:
    count = int(answer.get("affected_count", 0))
    if force or not count:
        return bool(count)
    call.screen.note(f"{answer['operation']} would affect {_contracts(count)}:")
    for name in _named(answer, names):
        call.screen.note(f"  {name}")
    if not call.screen.asks:
        call.screen.note("nothing was changed: nobody is there to ask; --force does it")
        return False
    return click.confirm("Go on?", err=True)


def _contracts(number: int) -> str:
    return "1 contract" if number == 1 else f"{number} contracts"


def _named(answer: dict[str, Any], names: Names) -> list[str]:
    return sorted(plain(names.get(uid, uid)) for uid in answer.get("affected_ids") or ())


def _write(call: Call, answer: dict[str, Any], names: Names, form: str, *, each: bool) -> None:
    if form in ("json", "yaml"):
        say_data(call.screen, form, answer)
        return
    if form == "name":
        for name in _named(answer, names):
            call.screen.say(name)
        return
    _say(call, answer, names, each=each)


def _say(call: Call, answer: dict[str, Any], names: Names, *, each: bool) -> None:
    """How many, and which, where that is wanted."""
    word = "would affect" if answer.get("dry_run") else "affected"
    call.screen.say(f"{answer.get('operation')}: {word} {_contracts(int(answer.get('affected_count', 0)))}")
    for name in _named(answer, names) if each else ():
        call.screen.say(f"  {name}")
    for error in answer.get("errors") or ():
        name = names.get(error.get("id"), error.get("id"))
        call.screen.note(plain(f"  {name} {error.get('code')}: {error.get('message')}"))
    if answer.get("more"):
        call.screen.note("there are more; run it again")
