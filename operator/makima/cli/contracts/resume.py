"""`resume` (plan 4.4)."""

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


@click.command("resume")
@contract_argument
@acting_options
@format_option()
@common
def command(call: Call, *, contract: str, wait: bool, dry_run: bool, form: str) -> None:
    """Take a pause back; where the contract goes on is decided anew."""

    async def work(person: Person) -> tuple[Contract, str | None]:
        seen = await one(person, contract)
        wished = await wishes_of(person, seen, dry_run=dry_run).resume()
        return wished, await outcome(person, call, wished, _resumed, wait=wait, dry_run=dry_run)

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[1], "to be resumed", form, dry_run=dry_run)


def _resumed(contract: Contract) -> str | None:
    status = contract.status
    if status is None or status.state == "Paused":
        return None
    seen = (status.observed_generation or 0) >= contract.metadata.generation
    return f"it is {status.state} in {status.phase}" if seen else None
