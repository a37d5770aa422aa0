"""Which contracts a command is about: one by its id, or many by namespace, labels and filters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import DURATION, Call, Ended, Function, option
from makima.cli.contracts.completion import contracts as complete_contracts
from makima.cli.contracts.completion import phases as complete_phases
from makima.cli.contracts.completion import types
from makima.cli.contracts.exits import Exit

if TYPE_CHECKING:
    from makima.client import Person
    from makima.client.finding import Visible
    from makima.domain.reads.selection import Selection
    from makima.models.contract import Contract
    from makima.models.supervisor import Supervisor

JsonObject = dict[str, Any]

AT_ONCE = 3
"""Namespaces beyond which the supervisors of all of them are listed at once, where the person may."""

contract_argument = click.argument("contract", metavar="ID", shell_complete=complete_contracts)
"""One contract: name, namespace/name, or UID."""


def namespaces_option(function: Function) -> Function:
    """`-A`."""
    found: Function = option("-A", "--all-namespaces", is_flag=True, help="All namespaces that you may see.")(function)
    return found


def selector_option(function: Function) -> Function:
    """`-l`."""
    text = "Only with these labels, like team=a,env!=x."
    found: Function = option("-l", "--selector", default="", metavar="LABELS", help=text)(function)
    return found


def _statuses(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Comma-separated and repeated; both spellings."""
    from makima.models.enums import ContractState

    words = [word.strip() for text in value for word in text.split(",") if word.strip()]
    snake = {state.snake: state for state in ContractState}
    known = snake | {state.value.lower(): state for state in ContractState}
    for word in words:
        if word.lower() not in known:
            raise click.BadParameter(f"{word!r} is none of {', '.join(snake)}", ctx, param)
    return tuple(known[word.lower()].value for word in words)


def _complete_status(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from makima.models.enums import ContractState

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{state.snake}" for state in ContractState if state.snake.startswith(last)]


status_option = option(
    "--status",
    "statuses",
    multiple=True,
    callback=_statuses,
    shell_complete=_complete_status,
    help="Only in these states, separated by commas (active, waiting_for_input, failed, …).",
)


def filter_options(function: Function) -> Function:
    """The filters of `list`."""
    for one in (
        option("--type", "kind", help="Only of this type.", shell_complete=types),
        option("--phase", help="Only in this phase.", shell_complete=complete_phases),
        option("--waiting", is_flag=True, help="Only those that wait for a person."),
        option(
            "--threshold",
            type=DURATION,
            help="Idle for how long is stale; implies --stale. Default: each contract's own, else 30m.",
        ),
        option("--stale", is_flag=True, help="Only stale contracts: nothing has happened for too long."),
        status_option,
    ):
        function = one(function)
    return function


def selection_of(
    *, statuses: tuple[str, ...], stale: bool, threshold: Any, waiting: bool, phase: str | None, kind: str | None
) -> Selection:
    """The filters as a value."""
    from makima.domain.reads.selection import Selection
    from makima.models.enums import ContractState

    return Selection(
        states=frozenset(ContractState(status) for status in statuses),
        stale=stale or threshold is not None,
        threshold=threshold,
        waiting=waiting,
        phase=phase,
        type=kind,
    )


async def found(
    person: Person, call: Call, *, everywhere: bool, selector: str = "", fields: str = ""
) -> AsyncIterator[JsonObject]:
    """Contracts of the namespace, or of all that the person may see; says where it could not look."""
    if not everywhere:
        async for body in person.cluster.every("contracts", person.namespace, selector=selector, fields=fields):
            yield body
        return
    scope = await _scope(person, call)
    async for body in scope.every(person.cluster, selector=selector, fields=fields):
        yield body


async def _scope(person: Person, call: Call) -> Visible:
    from makima.client.finding import visible

    scope = await visible(person)
    if scope.note:
        call.screen.note(f"note: {scope.note}")
    return scope


async def places(person: Person, call: Call, *, everywhere: bool) -> tuple[str | None, ...]:
    """Where to look: the namespace, or all that the person may see (None = everywhere); says where it can't.

    Raises:
        Ended: there is nothing that they may see.
    """
    if not everywhere:
        return (person.namespace,)
    scope = await _scope(person, call)
    if scope.namespaces == ():
        hint = "name a namespace that is yours, or ask an administrator for the role makima-view"
        raise Ended("FORBIDDEN: you may not list contracts in any namespace that can be known", hint, Exit.FORBIDDEN)
    return (None,) if scope.namespaces is None else scope.namespaces


def read(body: JsonObject) -> Contract | None:
    """The contract in an object; None for one that this version of makima can't read."""
    from makima.client.readable import contract_in

    return contract_in(body)


async def one(person: Person, wanted: str) -> Contract:
    """The contract that is meant."""
    from makima.client.finding import find
    from makima.models.contract import Contract

    return Contract.from_object(await find(person, wanted))


async def supervisor_of(person: Person, contract: Contract) -> Supervisor | None:
    """Its supervisor; None where there is none, or the person may not see it."""
    from makima.errors import Denied, NotFound
    from makima.models.supervisor import Supervisor

    meta = contract.metadata
    try:
        return Supervisor.model_validate(await person.cluster.get("supervisors", meta.namespace, meta.name))
    except (NotFound, Denied):
        return None


async def with_supervisors(
    person: Person, call: Call, *, everywhere: bool, selector: str, fields: str = ""
) -> tuple[list[Contract], dict[tuple[str, str], Supervisor]]:
    """Contracts of one namespace or of all that the person may see, and their supervisors by (namespace, name).

    Contracts that this version of makima can't read are left out, and supervisors that the person may not see.
    """
    bodies = [body async for body in found(person, call, everywhere=everywhere, selector=selector, fields=fields)]
    contracts = [contract for contract in map(read, bodies) if contract is not None]
    return contracts, await _supervisors_in(person, {contract.metadata.namespace for contract in contracts})


async def _supervisors_in(person: Person, namespaces: set[str]) -> dict[tuple[str, str], Supervisor]:
    """Supervisors of these namespaces by (namespace, name); empty where the person may not see them."""
    from makima.errors import Denied, NotFound
    from makima.models.supervisor import Supervisor

    there: dict[tuple[str, str], Supervisor] = {}
    everywhere = len(namespaces) > AT_ONCE and await person.cluster.may("list", "supervisors")
    for namespace in (None,) if everywhere else sorted(namespaces):
        try:
            async for body in person.cluster.every("supervisors", namespace):
                meta = body["metadata"]
                there[meta["namespace"], meta["name"]] = Supervisor.model_validate(body)
        except (NotFound, Denied):
            continue
    return there
