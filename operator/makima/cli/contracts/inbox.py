"""`inbox`: everything that waits for a person, oldest first, across namespaces, with the command that unblocks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, common, now, option
from makima.cli.contracts.formats import format_option, say_data
from makima.cli.contracts.selecting import namespaces_option, places, selector_option, with_supervisors
from makima.cli.contracts.text import plain
from makima.cli.contracts.watching import Looks, Watched, looks, watch_option

if TYPE_CHECKING:
    from makima.client import Person
    from makima.client.picture import Key
    from makima.domain.reads.wait import Wait
    from makima.models.contract import Contract
    from makima.models.supervisor import Supervisor

Letter = tuple["Contract", "Wait"]
KINDS = (
    "answer",
    "confirmation",
    "advance",
    "resume",
    "retry",
    "blocked",
    "supervisor-asks",
    "stuck",
    "restart",
    "stale",
    "refused",
    "start",
)
FIRST = datetime.min.replace(tzinfo=UTC)


@click.command("inbox")
@namespaces_option
@selector_option
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only waits of this kind; may be repeated."
)
@option("--limit", type=click.IntRange(min=1), metavar="N", makima=("-n",), help="At most so many, the oldest.")
@watch_option
@format_option()
@common
def command(
    call: Call,
    *,
    all_namespaces: bool,
    selector: str,
    kinds: tuple[str, ...],
    limit: int | None,
    watch: bool,
    form: str,
) -> None:
    """List everything that waits for a person, oldest first: of all namespaces that you may see, or of --namespace."""
    wanted = Wanted(selector, kinds, limit, all_namespaces or call.place.namespace is None)

    async def work(person: Person) -> None:
        if watch:
            await _watch(person, call, wanted, form)
            return
        found = await with_supervisors(person, call, everywhere=wanted.everywhere, selector=selector, fields=_open())
        _write(call, _letters(*found, wanted), form)

    call.run(work, watching=watch)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    selector: str
    kinds: tuple[str, ...]
    limit: int | None
    everywhere: bool


def _open() -> str:
    """Field selector of contracts that may wait for a person."""
    from makima.domain.reconcile.states import FINISHED
    from makima.models.enums import ContractState

    return ",".join(f"status.state!={state}" for state in sorted(FINISHED - {ContractState.FAILED}))


def _letters(contracts: Iterable[Contract], there: Mapping[Key, Supervisor], wanted: Wanted) -> list[Letter]:
    from makima.domain.reads.waits import waits

    letters = [
        (contract, wait)
        for contract in contracts
        for wait in waits(contract, there.get((contract.metadata.namespace, contract.metadata.name)), now())
        if wait.person and (not wanted.kinds or wait.kind in wanted.kinds)
    ]
    letters.sort(key=lambda letter: (letter[1].since or FIRST, letter[0].metadata.name))
    return letters[: wanted.limit]


async def _watch(person: Person, call: Call, wanted: Wanted, form: str) -> None:
    where = await places(person, call, everywhere=wanted.everywhere)
    watched = Watched(call, form, _looks(call, form))
    async with aclosing(looks(person, call, where, selector=wanted.selector, fields=_open())) as pictures:
        async for picture in pictures:
            watched.show(_letters(picture.contracts.values(), picture.supervisors, wanted))


def _looks(call: Call, form: str) -> Looks[Letter]:
    def line(letter: Letter, over: bool) -> str:
        contract, wait = letter
        if over:
            return f"{_key(contract)} no longer waits for {plain(wait.what)}"
        how = f" → {call.line(*wait.command)}" if wait.command is not None and form != "compact" else ""
        return f"{_key(contract)} waits for {plain(wait.what)}{how}"

    return Looks(
        key=lambda letter: (letter[0].metadata.uid, letter[1].kind, letter[1].question_id),
        said=lambda letter: (letter[1].what, letter[1].command),
        value=lambda letter: _value(call, *letter),
        line=line,
        name=lambda letter: _key(letter[0]),
        all=lambda letters: _write(call, letters, form),
    )


def _write(call: Call, letters: Sequence[Letter], form: str) -> None:
    screen = call.screen
    if form in ("json", "yaml"):
        say_data(screen, form, [_value(call, *letter) for letter in letters])
    elif form == "name":
        for key in dict.fromkeys(_key(contract) for contract, _ in letters):
            screen.say(key)
    elif not letters:
        screen.note("nothing waits for a person")
    elif form == "compact":
        for contract, wait in letters:
            screen.say(f"{_age(wait)} {_key(contract)} {wait.kind}: {plain(wait.what)}")
    else:
        _table(call, letters, wide=form == "wide")


def _table(call: Call, letters: Sequence[Letter], *, wide: bool) -> None:
    """What to do stands below what waits: a command in a column would be cut."""
    from makima.cli.contracts.rows import shortened

    for contract, wait in letters:
        what = plain(wait.what) if wide else shortened(plain(wait.what))
        head = call.screen.paint(_key(contract), "yellow")
        call.screen.say(f"{_age(wait):>6}  {head}  waits for {what}")
        if wait.command is not None:
            call.screen.say(f"        → {call.line(*wait.command)}")


def _key(contract: Contract) -> str:
    return f"{contract.metadata.namespace}/{contract.metadata.name}"


def _age(wait: Wait) -> str:
    from makima.domain.durations import format_duration

    return format_duration(now() - wait.since) if wait.since is not None else "?"


def _value(call: Call, contract: Contract, wait: Wait) -> dict[str, Any]:
    meta = contract.metadata
    return {
        "id": meta.uid,
        "namespace": meta.namespace,
        "name": meta.name,
        "kind": wait.kind.value,
        "waitingFor": wait.what,
        "since": wait.since.isoformat() if wait.since is not None else None,
        "questionId": wait.question_id,
        "command": call.line(*wait.command) if wait.command is not None else None,
    }
