"""`advance`: move a contract to its next phase (plan 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from makima.cli.contracts.acting import Judge, acting_options, key_of, outcome, report, wishes_of
from makima.cli.contracts.call import Call, common
from makima.cli.contracts.completion import next_phases
from makima.cli.contracts.formats import format_option
from makima.cli.contracts.next_steps import CONTRACT, SHOW, NextStep
from makima.cli.contracts.selecting import contract_argument, one
from makima.errors import MakimaError

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.contract import Contract
    from makima.models.contract_status import AdvanceStatus

ATTEMPTS = 3
"""How often a move without a version of its own is asked for again, where only the version had changed."""


class MoveRefused(MakimaError):
    """The operator did not make the move.

    Attributes:
        contract: how commands name it.
        code: the plan's code, with which the operator's words begin.
        next_step: what to do; None = what the code says.
    """

    def __init__(self, contract: str, told: AdvanceStatus) -> None:
        super().__init__(f"{contract}: {told.message}")
        self.contract, self.code, self.next_step = contract, told.message.partition(":")[0], _report(told.missing)


def _report(missing: tuple[str, ...]) -> NextStep | None:
    """Where a deliverable is missing, how it is reported."""
    from makima.domain.reconcile.gates import deliverables_in

    lacking = deliverables_in(missing)
    if not lacking:
        return None
    return NextStep("{}; see all that is missing: {}", (("complete-deliverable", CONTRACT, lacking[0]), SHOW))


@click.command("advance")
@contract_argument
@click.option(
    "--phase", shell_complete=next_phases, help="Where to. Default: the next phase; Completed after the last."
)
@click.option("--force", is_flag=True, help="Although the gate is not ready; recorded. Never skips the phase guard.")
@click.option(
    "--confirmed", is_flag=True, help="Confirm it at the same time; needs the verb confirm. See also: confirm."
)
@click.option("--reason", help="Why, for the history.")
@click.option("--expected-version", type=click.IntRange(min=1), help="Only if it is still at this version.")
@acting_options
@format_option()
@common
def command(
    call: Call,
    *,
    contract: str,
    phase: str | None,
    force: bool,
    confirmed: bool,
    reason: str | None,
    expected_version: int | None,
    wait: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Move a contract to its next phase, or complete it."""

    async def work(person: Person) -> tuple[Contract, str | None]:
        for attempt in range(ATTEMPTS):
            seen = await one(person, contract)
            wish = wishes_of(person, seen, dry_run=dry_run)
            try:
                asked = await wish.advance(
                    seen, to=phase, force=force, confirmed=confirmed, reason=reason, expected_version=expected_version
                )
                break
            except Exception as error:
                again = expected_version is None and not confirmed and attempt < ATTEMPTS - 1
                if not again or getattr(error, "code", "") != "VERSION_CONFLICT":
                    raise
        return asked, await outcome(person, call, asked, moved(asked), wait=wait, dry_run=dry_run)

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[1], f"asked to move to {wished_goal(done[0])}", form, dry_run=dry_run)


def wished_goal(asked: Contract) -> str:
    """Where the wish in its spec goes."""
    return asked.spec.advance.to if asked.spec.advance is not None else ""


def moved(asked: Contract) -> Judge:
    """Judges whether the wish to advance was carried out."""
    wish = asked.spec.advance

    def judge(contract: Contract) -> str | None:
        told = contract.status.advance if contract.status is not None else None
        if wish is None or told is None or (told.to, told.expected_version) != (wish.to, wish.expected_version):
            return None
        if told.outcome == "Success":
            return told.message
        if contract.status is None or (contract.status.observed_generation or 0) < asked.metadata.generation:
            return None  # of the request before, for the same version
        raise MoveRefused(key_of(contract), told)

    return judge
