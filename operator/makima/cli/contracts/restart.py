"""`restart-supervisor` (plan 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from makima.cli.contracts.acting import Judge, acting_options, outcome, report, wishes_of
from makima.cli.contracts.call import Call, common
from makima.cli.contracts.formats import format_option
from makima.cli.contracts.selecting import contract_argument, one

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.contract import Contract

UNACTED = "whether it runs with supervisor_heartbeat on (off, nobody restarts supervisors)"


@click.command("restart-supervisor")
@contract_argument
@acting_options
@format_option()
@common
def command(call: Call, *, contract: str, wait: bool, dry_run: bool, form: str) -> None:
    """End the current life of a supervisor; the next is restored with what it knew. Asked twice, it acts once."""

    async def work(person: Person) -> tuple[Contract, str | None]:
        seen = await one(person, contract)
        wished = await wishes_of(person, seen, dry_run=dry_run).restart_supervisor()
        return wished, await outcome(person, call, wished, _next_life(wished), wait=wait, dry_run=dry_run, look=UNACTED)

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[1], "its supervisor is to be restarted", form, dry_run=dry_run)


def _next_life(wished: Contract) -> Judge:
    """Judges whether a later life than the one to be ended has begun."""
    wish = wished.spec.restart_supervisor
    ending = wish.expected_incarnation if wish is not None else 0

    def judge(contract: Contract) -> str | None:
        carrier = contract.status.supervisor_ref if contract.status is not None else None
        if carrier is None or carrier.incarnation <= ending:
            return None
        return f"life {ending} of its supervisor ended; life {carrier.incarnation} carries on"

    return judge
