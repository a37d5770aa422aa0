"""`retry`: take a failed contract up again."""

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


@click.command("retry")
@contract_argument
@acting_options
@format_option()
@common
def command(call: Call, *, contract: str, wait: bool, dry_run: bool, form: str) -> None:
    """Take a failed contract up again: same phase, a fresh restart budget, a new life of its supervisor."""

    async def work(person: Person) -> tuple[Contract, str | None]:
        seen = await one(person, contract)
        wished = await wishes_of(person, seen, dry_run=dry_run).retry(seen)
        return wished, await outcome(person, call, wished, _retried, wait=wait, dry_run=dry_run)

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[1], "to be taken up again", form, dry_run=dry_run)


def _retried(contract: Contract) -> str | None:
    status = contract.status
    return None if status is None or status.state == "Failed" else f"it is {status.state} in {status.phase}"
