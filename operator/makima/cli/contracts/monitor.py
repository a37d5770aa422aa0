"""`monitor`: what happens, live (plan 4.3): a terminal UI, lines of text, or one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, common, now
from makima.cli.contracts.completion import contracts as complete_contracts
from makima.cli.contracts.formats import format_option
from makima.cli.contracts.selecting import namespaces_option, one, places, read, selector_option, status_option
from makima.cli.contracts.text import plain

if TYPE_CHECKING:
    from makima.cli.contracts.event_lines import Frame
    from makima.client import Person


@click.command("monitor")
@click.argument("contracts", metavar="[ID]...", nargs=-1, shell_complete=complete_contracts)
@status_option
@click.option("--stale", is_flag=True, help="Only what happens to stale contracts.")
@click.option(
    "--quiet", is_flag=True, help="Only important events: no heartbeats, no tasks, no mere states of supervisors."
)
@click.option("--heartbeats", is_flag=True, help="With heartbeats (text, json; the TUI always shows them).")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    metavar="SEQ",
    help="Begin after this event, as `seq` numbers them (text, json).",
)
@namespaces_option
@selector_option
@format_option(("tui", "text", "json"), "tui")
@common
def command(
    call: Call,
    *,
    contracts: tuple[str, ...],
    statuses: tuple[str, ...],
    stale: bool,
    quiet: bool,
    heartbeats: bool,
    after: int | None,
    all_namespaces: bool,
    selector: str,
    form: str,
) -> None:
    """Follow what happens to contracts, live: those named, else all of the namespace.

    Without a terminal, `tui` means `text`. A stream that is cut is resumed after the last event that was seen. While
    makima's API can't be reached, or is away for more than ten seconds, the Kubernetes API alone is watched until it
    answers, and it says so; what happened unseen in between comes then, and nothing comes twice. Which contracts have
    the labels of -l is asked of the Kubernetes API: of one that is gone, that is not known.
    """
    wanted = Wanted(contracts, statuses, stale, quiet, heartbeats and not quiet, after, all_namespaces, selector)
    if form == "tui" and call.screen.terminal:
        if after is not None:
            raise click.UsageError("--after is for the streams: give --format text, or json")
        _tui(call, wanted)
        return
    writer = Writer(call, form, wanted)

    async def work(person: Person) -> None:
        frames = _frames(person, call, wanted, writer)
        async with aclosing(frames):
            async for frame in frames:
                writer.write(frame)

    call.run(work, watching=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    contracts: tuple[str, ...]
    statuses: tuple[str, ...]
    stale: bool
    quiet: bool
    heartbeats: bool
    after: int | None
    everywhere: bool
    selector: str


def _tui(call: Call, wanted: Wanted) -> None:
    """The terminal UI, which talks to the cluster by the same client."""
    from makima.errors import MakimaError
    from makima.models.enums import ContractState
    from makima.tui import run

    try:
        run(
            call.place,
            contracts=wanted.contracts,
            statuses=tuple(ContractState(status).snake for status in wanted.statuses),
            stale=wanted.stale,
            quiet=wanted.quiet,
            all_namespaces=wanted.everywhere,
            selector=wanted.selector,
            caller=call,
            colours=call.screen.color is not False,
            seconds=call.timeout.total_seconds() if call.timeout is not None else None,
        )
    except MakimaError as error:
        raise call.ended(error) from error


async def _frames(person: Person, call: Call, wanted: Wanted, writer: Writer) -> AsyncGenerator[Frame, None]:
    """The stream of makima's API; while nobody answers there, what Kubernetes alone tells."""
    from makima.client.handover import Handover
    from makima.client.labelled import labelled
    from makima.client.stream import Filter
    from makima.models.enums import ContractState

    named = [(await one(person, name)).metadata for name in wanted.contracts]
    ids = tuple(meta.uid for meta in named)
    snake = tuple(ContractState(status).snake for status in wanted.statuses)
    where = await _where(person, call, wanted, tuple(sorted({meta.namespace for meta in named})))
    if wanted.stale and wanted.after is None:
        writer.begin_with(await _stale_now(person, call, where))
    chosen = Filter(ids, snake, include_heartbeats=wanted.heartbeats)
    flow = Handover(
        person.api,
        person.cluster,
        chosen,
        after=wanted.after,
        namespaces=where,
        say=lambda text: call.screen.note(f"note: {text}"),
    )
    told = flow.frames()
    if wanted.selector:
        told = labelled(person.cluster, wanted.selector, where or (None,), told)
    async with aclosing(told) as frames:
        async for frame in frames:
            yield frame


async def _stale_now(person: Person, call: Call, where: tuple[str, ...] | None) -> set[str]:
    """UIDs of those that are stale when it begins: the stream tells only of those that become so."""
    from makima.domain.reads.selection import Selection, selected
    from makima.errors import ClusterError

    moment, found, stale = now(), set(), Selection(stale=True)
    try:
        for place in where if where is not None else (None,):
            async for body in person.cluster.every("contracts", place):
                contract = read(body)
                if contract is not None and selected(contract, stale, moment):
                    found.add(contract.metadata.uid)
    except ClusterError as error:
        call.screen.note(f"note: which are stale already is not known: {plain(error.message)}")
    return found


async def _where(person: Person, call: Call, wanted: Wanted, named: tuple[str, ...]) -> tuple[str, ...] | None:
    """Namespaces to look in; None = all of them."""
    if named or not wanted.everywhere:
        return named or (person.namespace,)
    found = await places(person, call, everywhere=True)
    return None if None in found else tuple(place for place in found if place is not None)


class Writer:
    """Writes frames as text or JSON, those that are wanted."""

    def __init__(self, call: Call, form: str, wanted: Wanted) -> None:
        self._screen, self._form, self._wanted = call.screen, form, wanted
        self._stale: set[Any] = set()

    def begin_with(self, stale: set[str]) -> None:
        """These are stale already."""
        self._stale |= stale

    def write(self, frame: Frame) -> None:
        """One frame."""
        from makima.cli.contracts.event_lines import CONTROL, event_line, is_important

        kind = str(frame.get("type"))
        if kind in CONTROL:
            self._control(frame)
            return
        if self._wanted.quiet and not is_important(frame):
            return
        if self._wanted.stale and not self._is_stale(frame):
            return
        if self._form == "json":
            self._screen.say(json.dumps(frame, ensure_ascii=False))
        else:
            self._screen.say(event_line(frame, self._screen))

    def _control(self, frame: Frame) -> None:
        """How the stream itself is: part of the stream for programs, beside it for people."""
        from makima.cli.contracts.event_lines import control_line

        if self._form == "json":
            self._screen.say(json.dumps(frame, ensure_ascii=False))
        elif (line := control_line(frame)) is not None:
            self._screen.note(line)

    def _is_stale(self, frame: Frame) -> bool:
        """A contract counts as stale from the event that says so until anything else happens to it."""
        contract = frame.get("contract_id")
        if frame.get("type") == "StaleDetected":
            self._stale.add(contract)
            return True
        known = contract in self._stale
        if frame.get("type") != "Heartbeat":
            self._stale.discard(contract)
        return known
