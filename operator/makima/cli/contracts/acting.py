"""What commands that change a contract have in common: dry runs, and waiting for what the operator makes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from makima.cli.contracts.call import Call, Ended, Function
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import as_object, say_data
from makima.cli.contracts.text import plain

if TYPE_CHECKING:
    from makima.client import Person
    from makima.client.wishes import Wishes
    from makima.models.contract import Contract

PATIENCE = 30.0
"""Seconds that a command waits for the operator where --timeout says nothing."""

Judge = Callable[["Contract"], str | None]
"""Says what became of a wish, once something has; raises `Ended` where it was refused."""


def acting_options(function: Function) -> Function:
    """Options of every command that changes a contract."""
    for one in (
        click.option("--wait/--no-wait", default=True, help="Wait until the operator has acted (30 s, or --timeout)."),
        click.option("--dry-run", is_flag=True, help="Have the API server check it, and change nothing."),
    ):
        function = one(function)
    return function


def key_of(contract: Contract) -> str:
    """How it is named in messages."""
    return f"{contract.metadata.namespace}/{contract.metadata.name}"


def wishes_of(person: Person, contract: Contract, *, dry_run: bool) -> Wishes:
    """The wishes of this person about this contract."""
    from makima.client.wishes import Wishes

    return Wishes(person.cluster, contract.metadata.namespace, contract.metadata.name, dry_run)


async def outcome(
    person: Person,
    call: Call,
    wished: Contract,
    judge: Judge,
    *,
    wait: bool,
    dry_run: bool,
    look: str = "whether it runs",
) -> str | None:
    """What became of a wish: the judge's word, once it has one.

    Args:
        look: what to look at, where the operator does not act.

    Returns:
        None if nobody waited for it, or may, or only a dry run was made.

    Raises:
        Ended: refused; or nothing came of it in time.
    """
    if dry_run or not wait:
        return None
    import asyncio

    from makima.errors import Denied

    limit = call.timeout.total_seconds() if call.timeout is not None else PATIENCE
    try:
        with call.screen.working(f"{key_of(wished)}: asked for; the operator has {limit:g} s to act"):
            async with asyncio.timeout(limit):
                return await _judged(person, wished, judge)
    except Denied as error:  # the wish itself was let in
        call.screen.note(f"note: it is asked for; what comes of it is not yours to watch: {plain(error.message)}")
        return None
    except TimeoutError:
        text = f"{key_of(wished)}: it is asked for, but the operator has not acted within {limit:g} s"
        hint = f"see {look}: {call.line('makima', 'doctor')}; what you asked for stays"
        raise Ended(text, hint, Exit.TIMED_OUT) from None


async def _judged(person: Person, wished: Contract, judge: Judge) -> str:
    from makima.client.following import Changed, Gone, Listed, follow
    from makima.models.contract import Contract

    meta = wished.metadata
    changes = follow(person.cluster, "contracts", meta.namespace, fields=f"metadata.name={meta.name}")
    async with aclosing(changes):
        async for change in changes:
            listed = change.bodies if isinstance(change, Listed) else ()
            known = (change.body,) if isinstance(change, Changed) else listed
            mine = [body for body in known if body["metadata"]["uid"] == meta.uid]
            for body in mine:
                if (said := judge(Contract.from_object(body))) is not None:
                    return said
            if isinstance(change, Gone) or (isinstance(change, Listed) and not mine):
                raise Ended(f"{key_of(wished)} was deleted", None, Exit.NOT_FOUND)
    raise AssertionError("a watch never ends by itself")


def report(call: Call, contract: Contract, said: str | None, asked: str, form: str, *, dry_run: bool) -> None:
    """Write what was done."""
    if form in ("json", "yaml"):
        say_data(call.screen, form, as_object(contract))
        return
    if form == "name":
        call.screen.say(key_of(contract))
        return
    how = " (dry run: nothing was changed)" if dry_run else ""
    call.screen.say(plain(f"{key_of(contract)}: {said or asked}{how}"))
