"""`health`: verdicts with reasons, and an exit code (plan 4.4)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, common, now
from makima.cli.contracts.completion import contracts as complete_contracts
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import format_option, say_data
from makima.cli.contracts.selecting import (
    namespaces_option,
    one,
    places,
    selector_option,
    supervisor_of,
    with_supervisors,
)
from makima.cli.contracts.text import plain
from makima.cli.contracts.watching import Looks, Watched, looks, watch_option

if TYPE_CHECKING:
    from makima.client import Person
    from makima.client.picture import Key
    from makima.domain.reads.contract_health import Health
    from makima.models.contract import Contract
    from makima.models.supervisor import Supervisor

Verdict = tuple["Contract", "Health"]
Verdicts = list[Verdict]
CODES = {0: Exit.DONE, 1: Exit.ATTENTION, 2: Exit.UNHEALTHY}


@click.command("health", epilog="Exit code: 0 healthy, 7 unhealthy, 8 nothing is broken but a person is waited for.")
@click.argument("contracts", metavar="[ID]...", nargs=-1, shell_complete=complete_contracts)
@namespaces_option
@selector_option
@click.option("--problems", is_flag=True, help="Only those that are not healthy.")
@watch_option
@format_option()
@common
def command(
    call: Call,
    *,
    contracts: tuple[str, ...],
    all_namespaces: bool,
    selector: str,
    problems: bool,
    watch: bool,
    form: str,
) -> None:
    """Say whether contracts are well, and why not: those named, else all of the namespace.

    With --watch and --timeout the exit code tells how they were last.
    """
    last: Verdicts = []

    async def work(person: Person) -> None:
        if not watch:
            last[:] = await _verdicts(person, call, contracts, selector, everywhere=all_namespaces)
            _write(call, [found for found in last if found[1].level or not problems], form)
            return
        watched = Watched(call, form, _looks(call, form))
        async with aclosing(_watch(person, call, contracts, selector, everywhere=all_namespaces)) as found:
            async for verdicts in found:
                last[:] = verdicts
                watched.show([item for item in last if item[1].level or not problems or watched.told(item)])

    call.run(work, watching=watch)
    raise click.exceptions.Exit(max((CODES[verdict.level] for _, verdict in last), key=_worse, default=Exit.DONE))


async def _verdicts(person: Person, call: Call, named: tuple[str, ...], selector: str, *, everywhere: bool) -> Verdicts:
    if named:
        return [await _examine(person, await one(person, wanted)) for wanted in named]
    return _judged(*await with_supervisors(person, call, everywhere=everywhere, selector=selector))


async def _watch(
    person: Person, call: Call, named: tuple[str, ...], selector: str, *, everywhere: bool
) -> AsyncGenerator[Verdicts, None]:
    """Verdicts on what was named, else on all, each time that something may have changed."""
    found = [(await one(person, wanted)).metadata for wanted in named]
    uids = {meta.uid for meta in found}
    where = tuple(sorted({meta.namespace for meta in found})) or await places(person, call, everywhere=everywhere)
    async with aclosing(looks(person, call, where, selector=selector)) as pictures:
        async for picture in pictures:
            there = (contract for contract in picture.contracts.values() if not uids or contract.metadata.uid in uids)
            yield _judged(there, picture.supervisors)


def _looks(call: Call, form: str) -> Looks[Verdict]:
    def line(found: Verdict, over: bool) -> str:
        return f"{_key(found[0])} is gone" if over else _compact(*found)

    return Looks(
        key=lambda found: found[0].metadata.uid,
        said=lambda found: (found[1].level, [(finding.reason, finding.command) for finding in found[1].findings]),
        value=lambda found: _value(call, *found),
        line=line,
        name=lambda found: _key(found[0]),
        all=lambda verdicts: _write(call, verdicts, form),
    )


def _worse(code: Exit) -> int:
    return [Exit.DONE, Exit.ATTENTION, Exit.UNHEALTHY].index(code)


async def _examine(person: Person, contract: Contract) -> tuple[Contract, Health]:
    from makima.domain.reads.contract_health import health

    return contract, health(contract, await supervisor_of(person, contract), now())


def _judged(contracts: Iterable[Contract], there: Mapping[Key, Supervisor]) -> Verdicts:
    from makima.domain.reads.contract_health import health

    moment = now()
    return [
        (contract, health(contract, there.get((contract.metadata.namespace, contract.metadata.name)), moment))
        for contract in contracts
    ]


def _write(call: Call, verdicts: Sequence[Verdict], form: str) -> None:
    screen = call.screen
    if form in ("json", "yaml"):
        say_data(screen, form, [_value(call, contract, verdict) for contract, verdict in verdicts])
    elif form == "name":
        for contract, _ in verdicts:
            screen.say(_key(contract))
    elif form == "compact":
        for contract, verdict in verdicts:
            screen.say(_compact(contract, verdict))
    elif not verdicts:
        screen.note("no contracts found")
    else:
        _table(call, verdicts, wide=form == "wide")


def _table(call: Call, verdicts: Sequence[Verdict], *, wide: bool) -> None:
    from makima.cli.contracts.rows import where_it_stands

    for contract, verdict in verdicts:
        word = call.screen.paint(_word(verdict), {0: "green", 1: "yellow", 2: "red"}[verdict.level])
        call.screen.say(f"{_key(contract)}: {word}")
        if wide:
            call.screen.say(f"  {plain(where_it_stands(contract, now()))}")
        for finding in verdict.findings:
            call.screen.say(f"  {finding.reason}: {plain(finding.text)}")
            if finding.command is not None:
                call.screen.say(f"    → {call.line(*finding.command)}")


def _compact(contract: Contract, verdict: Health) -> str:
    reasons = ", ".join(finding.reason for finding in verdict.findings)
    return f"{_key(contract)} {_word(verdict)}" + (f": {reasons}" if reasons else "")


def _key(contract: Contract) -> str:
    return f"{contract.metadata.namespace}/{contract.metadata.name}"


def _word(verdict: Health) -> str:
    return verdict.level.name.lower()


def _value(call: Call, contract: Contract, verdict: Health) -> dict[str, Any]:
    meta = contract.metadata
    findings = [
        {
            "level": finding.level.name.lower(),
            "reason": finding.reason,
            "message": finding.text,
            "command": call.line(*finding.command) if finding.command is not None else None,
        }
        for finding in verdict.findings
    ]
    head = {"id": meta.uid, "namespace": meta.namespace, "name": meta.name}
    return {**head, "health": _word(verdict), "findings": findings}
