"""`confirm`: pass a phase guard, having looked at what is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from makima.cli.contracts.acting import acting_options, key_of, outcome, report, wishes_of
from makima.cli.contracts.advance import moved
from makima.cli.contracts.call import Call, Ended, common
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import format_option
from makima.cli.contracts.selecting import contract_argument, one
from makima.cli.contracts.text import plain

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.contract import Contract


@click.command("confirm")
@contract_argument
@click.option(
    "--expected-version", type=click.IntRange(min=1), help="The version that you looked at; asks nothing then."
)
@click.option("--reason", help="Why, for the history.")
@click.option("--force", is_flag=True, help="Although the gate is not ready; recorded.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; confirms whatever is there now.")
@acting_options
@format_option()
@common
def command(
    call: Call,
    *,
    contract: str,
    expected_version: int | None,
    reason: str | None,
    force: bool,
    yes: bool,
    wait: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Confirm the move that a phase guard holds; needs the verb confirm on the contract.

    Shows the deliverables and asks. A confirmation is for exactly the version that was looked at: if anything changes
    in between, it is refused (exit code 5).
    """

    async def work(person: Person) -> tuple[Contract, str | None]:
        seen = await one(person, contract)
        if expected_version is None and not yes and not dry_run:
            _ask(call, seen)
        wish = wishes_of(person, seen, dry_run=dry_run)
        asked = await wish.advance(seen, confirmed=True, force=force, reason=reason, expected_version=expected_version)
        return asked, await outcome(person, call, asked, moved(asked), wait=wait, dry_run=dry_run)

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[1], "confirmed", form, dry_run=dry_run)


def _ask(call: Call, seen: Contract) -> None:
    """Show what is confirmed, and ask; without somebody to ask, say how to do it.

    Raises:
        Ended: nobody was there, or they said no.
    """
    from makima.client.wishes import accepted
    from makima.domain.reconcile.phase_change import destination

    status = accepted(seen)
    question = f"{key_of(seen)}: confirm {status.phase} → {destination(status)} at version {status.version}"
    call.screen.note(question)
    for line in _deliverables(seen):
        call.screen.note(f"  {plain(line)}")
    if not call.screen.asks:
        words = ("contracts", "confirm", key_of(seen), "--expected-version", str(status.version))
        raise Ended("nothing was confirmed: nobody is there to ask", call.line(*words), Exit.ATTENTION)
    if not click.confirm("Confirm?", err=True):
        raise Ended("nothing was confirmed", None, Exit.ATTENTION)


def _deliverables(seen: Contract) -> list[str]:
    from makima.client.wishes import accepted
    from makima.domain.reconcile.gates import current_phase

    status = accepted(seen)
    there = {item.id: item for item in status.deliverables if item.phase == status.phase}
    lines = []
    for item in current_phase(status).deliverables:
        done = there.get(item.id)
        more = [part for part in (done.uri, done.digest) if part] if done is not None else []
        lines.append(" ".join([f"{item.id}:", "complete" if done is not None else "open", *more]))
    return lines or ["(this phase has no deliverables)"]
