"""`health`: verdicts with reasons, and an exit code (plan 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, common, now
from makima.cli.contracts.completion import contracts as complete_contracts
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import format_option, say_data
from makima.cli.contracts.selecting import (
    found,
    namespaces_option,
    one,
    read,
    selector_option,
    supervisor_of,
    supervisors_in,
)
from makima.cli.contracts.text import plain

if TYPE_CHECKING:
    from makima.client import Person
    from makima.domain.contract_health import Health
    from makima.models.contract import Contract

Verdicts = list[tuple["Contract", "Health"]]
CODES = {0: Exit.DONE, 1: Exit.ATTENTION, 2: Exit.UNHEALTHY}


@click.command("health", epilog="Exit code: 0 healthy, 7 unhealthy, 8 nothing is broken but a person is waited for.")
@click.argument("contracts", metavar="[ID]...", nargs=-1, shell_complete=complete_contracts)
@namespaces_option
@selector_option
@click.option("--problems", is_flag=True, help="Only those that are not healthy.")
@format_option(("table", "json", "yaml", "compact", "name"), "table")
@common
def command(
    call: Call, *, contracts: tuple[str, ...], all_namespaces: bool, selector: str, problems: bool, form: str
) -> None:
    """Say whether contracts are well, and why not: those named, else all of the namespace."""

    async def work(person: Person) -> Verdicts:
        if contracts:
            return [await _examine(person, await one(person, wanted)) for wanted in contracts]
        return await _all(person, call, selector, everywhere=all_namespaces)

    verdicts = call.run(work) or []
    shown = [(contract, verdict) for contract, verdict in verdicts if verdict.level or not problems]
    _write(call, shown, form)
    raise click.exceptions.Exit(max((CODES[verdict.level] for _, verdict in verdicts), key=_worse, default=Exit.DONE))


def _worse(code: Exit) -> int:
    return [Exit.DONE, Exit.ATTENTION, Exit.UNHEALTHY].index(code)


async def _examine(person: Person, contract: Contract) -> tuple[Contract, Health]:
    from makima.domain.contract_health import health

    return contract, health(contract, await supervisor_of(person, contract), now())


async def _all(person: Person, call: Call, selector: str, *, everywhere: bool) -> Verdicts:
    from makima.domain.contract_health import health

    bodies = [body async for body in found(person, call, everywhere=everywhere, selector=selector)]
    contracts = [contract for contract in map(read, bodies) if contract is not None]
    there = await supervisors_in(person, {contract.metadata.namespace for contract in contracts})
    moment = now()
    return [
        (contract, health(contract, there.get((contract.metadata.namespace, contract.metadata.name)), moment))
        for contract in contracts
    ]


def _write(call: Call, verdicts: Verdicts, form: str) -> None:
    screen = call.screen
    if form in ("json", "yaml"):
        say_data(screen, form, [_value(call, contract, verdict) for contract, verdict in verdicts])
    elif form == "name":
        for contract, _ in verdicts:
            screen.say(_key(contract))
    elif form == "compact":
        for contract, verdict in verdicts:
            reasons = ", ".join(finding.reason for finding in verdict.findings)
            screen.say(f"{_key(contract)} {_word(verdict)}" + (f": {reasons}" if reasons else ""))
    elif not verdicts:
        screen.note("no contracts found")
    else:
        _table(call, verdicts)


def _table(call: Call, verdicts: Verdicts) -> None:
    for contract, verdict in verdicts:
        word = call.screen.paint(_word(verdict), {0: "green", 1: "yellow", 2: "red"}[verdict.level])
        call.screen.say(f"{_key(contract)}: {word}")
        for finding in verdict.findings:
            call.screen.say(f"  {finding.reason}: {plain(finding.text)}")
            if finding.command is not None:
                call.screen.say(f"    → {call.line(*finding.command)}")


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
