"""`show`: one contract as a tree, below what it waits for (plan 4.4)."""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, common, now
from makima.cli.contracts.formats import FOR_PEOPLE, FORMATS, as_object, format_option, name_of, say_data
from makima.cli.contracts.selecting import contract_argument, one, supervisor_of

if TYPE_CHECKING:
    import asyncio

    from makima.client import Person
    from makima.domain.reads.wait import Wait
    from makima.models.contract import Contract
    from makima.models.supervisor import Supervisor

SYMBOLS = {"done": "✓", "current": "▶", "open": "○", "failed": "✗", "asks": "?", "plain": ""}
ASCII = {"done": "+", "current": ">", "open": "o", "failed": "x", "asks": "?", "plain": ""}
COLORS = {"done": "green", "current": "blue", "failed": "red", "asks": "yellow"}
EVERY = 1.0
"""Seconds between two drawings of `-w` at least; ages grow meanwhile."""


@click.command("show")
@contract_argument
@click.option("-v", "--verbose", is_flag=True, help="With conditions, addresses, digests and the last changes.")
@click.option("-w", "--watch", is_flag=True, help="Draw it again whenever something changes.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Without characters beyond ASCII.")
@format_option(("tree", *FORMATS), "tree")
@common
def command(call: Call, *, contract: str, verbose: bool, watch: bool, ascii_only: bool, form: str) -> None:
    """Show one contract: first what it waits for, since when, and the command that unblocks it; then its tree."""
    drawing = Drawing(call, form, verbose=verbose or form == "wide", ascii_only=ascii_only)

    async def work(person: Person) -> None:
        seen = await one(person, contract)
        drawing.show(seen, *await _around(person, seen))
        if watch:
            await _watch(person, drawing, seen)

    call.run(work, watching=watch)


async def _around(person: Person, contract: Contract) -> tuple[Supervisor | None, dict[str, Any] | None]:
    from makima.errors import ClusterError

    supervisor = await supervisor_of(person, contract)
    name = supervisor.status.pod_name if supervisor is not None and supervisor.status is not None else None
    if name is None:
        return supervisor, None
    path = f"/api/v1/namespaces/{contract.metadata.namespace}/pods/{name}"
    try:
        return supervisor, await person.cluster.connection.request("GET", path)
    except ClusterError:
        return supervisor, None


class Drawing:
    """How a contract is drawn."""

    def __init__(self, call: Call, form: str, *, verbose: bool, ascii_only: bool) -> None:
        self.call, self.form, self.verbose, self.ascii_only = call, form, verbose, ascii_only

    def show(self, contract: Contract, supervisor: Supervisor | None, pod: dict[str, Any] | None) -> None:
        """Write it."""
        screen = self.call.screen
        if self.form == "name":
            screen.say(name_of({"metadata": contract.metadata.model_dump()}, several_namespaces=True))
        elif self.form == "compact":
            screen.say(self._line(contract))
        elif self.form in ("json", "yaml"):
            carried = {"supervisor": as_object(supervisor)} if supervisor is not None else {}
            say_data(screen, self.form, {**as_object(contract), **carried})
        else:
            for line in self.lines(contract, supervisor, pod):
                screen.say(line)

    def again(self, contract: Contract, supervisor: Supervisor | None, pod: dict[str, Any] | None) -> None:
        """Write it in place of the last drawing; below it, where that is no terminal."""
        if self.call.screen.terminal and self.form in FOR_PEOPLE:
            self.call.screen.clear()
        self.show(contract, supervisor, pod)

    def lines(self, contract: Contract, supervisor: Supervisor | None, pod: dict[str, Any] | None) -> list[str]:
        """The tree's lines, what it waits for first."""
        from makima.cli.contracts.text import plain
        from makima.domain.reads.tree import tree_of
        from makima.domain.reads.tree_lines import lines
        from makima.domain.reads.waits import waits

        moment = now()
        found = waits(contract, supervisor, moment)
        head = [self._waits(wait) for wait in found[:1]]
        head += [f"also {self._waits(wait)}" for wait in found[1:] if wait.person]
        drawn = lines(tree_of(contract, supervisor, pod, moment, verbose=self.verbose), ascii_only=self.ascii_only)
        symbols, screen = ASCII if self.ascii_only else SYMBOLS, self.call.screen
        below = []
        for line in drawn:
            symbol = screen.paint(symbols[line.mark], COLORS.get(line.mark))
            below.append(f"{line.lead}{symbol}{' ' if symbol else ''}{plain(line.text)}")
        return [*head, *below]

    def _line(self, contract: Contract) -> str:
        from makima.cli.contracts.rows import compact
        from makima.cli.contracts.text import plain

        return plain(compact(contract, now()))

    def _waits(self, wait: Wait) -> str:
        from makima.cli.contracts.text import plain
        from makima.domain.durations import format_duration

        since = f", for {format_duration(now() - wait.since)}" if wait.since is not None else ""
        command = f" {'->' if self.ascii_only else '→'} {self.call.line(*wait.command)}" if wait.command else ""
        return f"waits for {plain(wait.what)}{since}{command}"


async def _watch(person: Person, drawing: Drawing, seen: Contract) -> None:
    """Draw again with every change of the contract or its supervisor, until it is gone."""
    import asyncio

    from makima.client.finding import ContractNotFound
    from makima.errors import ClusterUnavailable

    lost, changed = "", asyncio.Event()
    watches = [asyncio.create_task(_notice(person, seen, plural, changed)) for plural in ("contracts", "supervisors")]
    try:
        while not watches[0].done():
            await _pause(changed, drawing)
            try:
                seen = await one(person, f"{seen.metadata.namespace}/{seen.metadata.name}")
                drawing.again(seen, *await _around(person, seen))
                lost = ""
            except ClusterUnavailable as error:  # the watches are taken up again, too
                if lost != error.message:
                    drawing.call.screen.note(f"note: {error.message}; trying again")
                lost = error.message
        await watches[0]
    except ContractNotFound:
        pass
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
    drawing.call.screen.note("it was deleted")


async def _notice(person: Person, seen: Contract, plural: str, changed: asyncio.Event) -> None:
    """Tell of each change; ends when the object was deleted, or may not be watched."""
    from makima.client.following import Gone, follow
    from makima.errors import Denied

    changes = follow(person.cluster, plural, seen.metadata.namespace, fields=f"metadata.name={seen.metadata.name}")
    try:
        async with aclosing(changes):
            async for change in changes:
                changed.set()
                if isinstance(change, Gone):
                    return
    except Denied:
        if plural == "contracts":
            changed.set()  # whoever waits for a change would wait for ever
            raise


async def _pause(changed: asyncio.Event, drawing: Drawing) -> None:
    """Until something changes; at a terminal a few seconds at most, as ages grow."""
    import asyncio

    await asyncio.sleep(EVERY)
    if not drawing.call.screen.terminal:
        await changed.wait()
    else:
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), 5 * EVERY)
    changed.clear()
