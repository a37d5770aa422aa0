"""`pause` (plan 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from makima.cli.contracts.acting import acting_options, outcome, report, wishes_of
from makima.cli.contracts.call import Call, common
from makima.cli.contracts.formats import format_option
from makima.cli.contracts.selecting import contract_argument, one

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.contract import Contract


@click.command("pause")
@contract_argument
@click.option("--reason", help="Why, for whoever finds it paused.")
@acting_options
@format_option()
@common
def command(call: Call, *, contract: str, reason: str | None, wait: bool, dry_run: bool, form: str) -> None:
    """Pause a contract: deadlines stand still, nothing advances, and its supervisor stops."""

    async def work(person: Person) -> tuple[Contract, str | None]:
        seen = await one(person, contract)
        wished = await wishes_of(person, seen, dry_run=dry_run).pause(reason)
        return wished, await outcome(person, call, wished, _paused, wait=wait, dry_run=dry_run)

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[1], "to be paused", form, dry_run=dry_run)


def _paused(contract: Contract) -> str | None:
    """A contract that is over, or that the plan's new states are switched off for, is only noted as suspended."""
    status = contract.status
    if status is None:
        return "paused before it begins" if contract.early_conditions else None
    seen = (status.observed_generation or 0) >= contract.metadata.generation
    return f"it is {status.state}" if seen else None
