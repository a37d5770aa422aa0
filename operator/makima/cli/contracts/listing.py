"""`list`: contracts, with filters (plan 4.1)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, common, now, option
from makima.cli.contracts.formats import FOR_PEOPLE, as_json, as_list, format_option, name_of, say_data
from makima.cli.contracts.formats import without_bookkeeping as shown
from makima.cli.contracts.selecting import (
    JsonObject,
    filter_options,
    found,
    namespaces_option,
    read,
    selection_of,
    selector_option,
)
from makima.cli.times import utc

if TYPE_CHECKING:
    from makima.client import Person
    from makima.client.following import Change, Changed, Gone
    from makima.client.following import Listed as ListedAnew
    from makima.domain.reads.selection import Selection
    from makima.models.contract import Contract

EVERY = 5.0
"""Seconds between two looks at those that are not stale yet."""

Listed = list[tuple["JsonObject", "Contract"]]


@click.command("list")
@filter_options
@namespaces_option
@selector_option
@format_option()
@option("--limit", type=click.IntRange(min=1), metavar="N", makima=("-n",), help="At most so many.")
@click.option(
    "--sort",
    type=click.Choice(("name", "age", "activity")),
    default="name",
    show_default=True,
    help="What comes first.",
)
@click.option("-w", "--watch", is_flag=True, help="Then show each change, until interrupted.")
@common
def command(
    call: Call,
    *,
    all_namespaces: bool,
    selector: str,
    form: str,
    limit: int | None,
    sort: str,
    watch: bool,
    statuses: tuple[str, ...],
    stale: bool,
    threshold: timedelta | None,
    waiting: bool,
    phase: str | None,
    kind: str | None,
) -> None:
    """List contracts, with filters; all that are given have to agree."""
    chosen = selection_of(statuses=statuses, stale=stale, threshold=threshold, waiting=waiting, phase=phase, kind=kind)
    view = View(call, form, everywhere=all_namespaces)

    async def work(person: Person) -> None:
        listed = await _listed(person, call, chosen, everywhere=all_namespaces, selector=selector)
        listed.sort(key=lambda pair: _order(pair[1], sort))
        view.show(listed[:limit], person.namespace)
        if watch:
            await _watch(person, view, chosen, selector, listed)

    call.run(work, watching=watch)


def _order(contract: Contract, sort: str) -> tuple[Any, ...]:
    """Youngest first, or what moved last first; else by name."""
    meta, status = contract.metadata, contract.status
    name = (meta.namespace, meta.name)
    if sort == "age" and meta.creation_timestamp is not None:
        return (-meta.creation_timestamp.timestamp(), *name)
    if sort == "activity" and status is not None:
        return (-status.last_activity_time.timestamp(), *name)
    return (0, *name)


async def _listed(person: Person, call: Call, chosen: Selection, *, everywhere: bool, selector: str) -> Listed:
    from makima.domain.reads.selection import selected

    moment, listed = now(), []
    async for body in found(person, call, everywhere=everywhere, selector=selector, fields=chosen.fields()):
        contract = read(body)
        if contract is None:
            call.screen.note(f"note: {body['metadata']['name']} can't be read by this version of makima")
        elif selected(contract, chosen, moment):
            listed.append((body, contract))
    return listed


class View:
    """How the list is written."""

    def __init__(self, call: Call, form: str, *, everywhere: bool) -> None:
        self.screen, self.form, self.everywhere = call.screen, form, everywhere

    def show(self, listed: Listed, namespace: str) -> None:
        """All of it."""
        if self.form in ("json", "yaml"):
            say_data(self.screen, self.form, as_list([body for body, _ in listed]))
        elif not listed and self.form in FOR_PEOPLE:
            self.screen.note("no contracts found" + ("" if self.everywhere else f" in namespace {namespace}"))
        elif self.form in ("table", "wide"):
            self._table(listed)
        else:
            for pair in listed:
                self.screen.say(self._line(*pair))

    def change(self, body: JsonObject, contract: Contract, *, gone: bool) -> None:
        """One that changed."""
        word = "deleted" if gone else ""
        if self.form == "json":
            self.screen.say(as_json({**shown(body), **({"deleted": True} if gone else {})}))
        elif self.form == "yaml":
            self.screen.say("---")
            say_data(self.screen, "yaml", {**shown(body), **({"deleted": True} if gone else {})})
        elif self.form == "name":
            self.screen.say(self._line(body, contract))
        else:
            from makima.cli.contracts.rows import compact

            self.screen.say(f"{utc(now())}  {compact(contract, now())} {word}".rstrip())

    def _line(self, body: JsonObject, contract: Contract) -> str:
        from makima.cli.contracts.rows import compact
        from makima.cli.contracts.text import plain

        if self.form == "name":
            return name_of(body, several_namespaces=self.everywhere)
        return plain(compact(contract, now()))

    def _table(self, listed: Listed) -> None:
        from makima.cli.contracts.rows import headings, row

        wide, several, moment = self.form == "wide", self.everywhere, now()
        rows = (row(contract, moment, wide=wide, several_namespaces=several) for _, contract in listed)
        self.screen.table(headings(wide=wide, several_namespaces=several), rows)


async def _watch(person: Person, view: View, chosen: Selection, selector: str, shown_first: Listed) -> None:
    """Changes from now on. What leaves the selection is shown once more, as it is now."""
    from makima.client.following import Lost, follow
    from makima.client.merging import merged

    place = None if view.everywhere else person.namespace
    watched = Watched(view, chosen, shown_first)
    streams: list[AsyncGenerator[Change | None, None]] = [follow(person.cluster, "contracts", place, selector=selector)]
    if chosen.stale:
        streams.append(_ticks())
    async with aclosing(merged(streams)) as changes:
        async for change in changes:
            if change is None:
                watched.look_again()
            elif isinstance(change, Lost):
                view.screen.note(f"note: {change.why}; trying again")
            else:
                watched.take(change)


async def _ticks() -> AsyncGenerator[None, None]:
    """Silence becomes news by itself: nothing is written when a contract has been idle for long enough."""
    import asyncio

    while True:
        await asyncio.sleep(EVERY)
        yield None


class Watched:
    """What was shown so far, so that a list that is read again shows only what is new in it."""

    def __init__(self, view: View, chosen: Selection, shown_first: Listed) -> None:
        self._view, self._chosen = view, chosen
        self._inside = {body["metadata"]["uid"]: body for body, _ in shown_first}
        self._outside: dict[str, JsonObject] = {}

    def look_again(self) -> None:
        """Show those that fit by now, though nothing changed."""
        for body in list(self._outside.values()):
            self._one(body, gone=False)

    def take(self, change: ListedAnew | Changed | Gone) -> None:
        """Show what there is to show of a change."""
        from makima.client.following import Changed, Gone

        if isinstance(change, Changed | Gone):
            self._one(change.body, gone=isinstance(change, Gone))
            return
        there = {body["metadata"]["uid"] for body in change.bodies}
        for body in [body for uid, body in self._inside.items() if uid not in there]:
            self._one(body, gone=True)
        self._outside = {uid: body for uid, body in self._outside.items() if uid in there}
        for body in change.bodies:
            self._one(body, gone=False)

    def _one(self, body: JsonObject, *, gone: bool) -> None:
        from makima.domain.reads.selection import selected

        contract = read(body)
        before = self._inside.get(body["metadata"]["uid"])
        if contract is None or (not gone and before is not None and _version(before) == _version(body)):
            return
        fits = selected(contract, self._chosen, now()) and not gone
        if fits or before is not None:
            self._view.change(body, contract, gone=gone)
        uid = contract.metadata.uid
        for place, there in ((self._inside, fits), (self._outside, self._chosen.stale and not fits and not gone)):
            place.pop(uid, None)
            if there:
                place[uid] = body


def _version(body: JsonObject) -> str:
    return str(body["metadata"]["resourceVersion"])
