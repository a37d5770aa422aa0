"""`complete-deliverable`: report a deliverable as complete."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from makima.cli.contracts.acting import Judge, acting_options, outcome, report, wishes_of
from makima.cli.contracts.call import Call, common
from makima.cli.contracts.completion import deliverables as complete_deliverables
from makima.cli.contracts.completion import phases as complete_phases
from makima.cli.contracts.formats import format_option
from makima.cli.contracts.selecting import contract_argument, one

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.contract import Contract


@click.command("complete-deliverable")
@contract_argument
@click.argument("deliverable", metavar="DELIVERABLE", shell_complete=complete_deliverables)
@click.option("--phase", shell_complete=complete_phases, help="Phase that it belongs to. Default: the current one.")
@click.option("--uri", help="Where it is.")
@click.option("--digest", help="Digest of its content, as sha256:…")
@click.option(
    "--digest-of",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Take the SHA-256 of this file as the digest.",
)
@acting_options
@format_option()
@common
def command(
    call: Call,
    *,
    contract: str,
    deliverable: str,
    phase: str | None,
    uri: str | None,
    digest: str | None,
    digest_of: Path | None,
    wait: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Report a deliverable as complete; again changes nothing."""
    if digest_of is not None:
        if digest is not None:
            raise click.UsageError("--digest and --digest-of say the same; give one")
        with digest_of.open("rb") as content:
            digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"

    async def work(person: Person) -> tuple[Contract, str | None]:
        from makima.client.wishes import accepted

        seen = await one(person, contract)
        where = phase or accepted(seen).phase
        wish = wishes_of(person, seen, dry_run=dry_run)
        wished = await wish.deliver(deliverable, phase=where, uri=uri, digest=digest)
        return wished, await outcome(person, call, wished, _there(where, deliverable), wait=wait, dry_run=dry_run)

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[1], f"reported {deliverable}", form, dry_run=dry_run)


def _there(phase: str, identifier: str) -> Judge:
    """Judges whether the deliverable is in the status."""

    def judge(contract: Contract) -> str | None:
        status = contract.status
        if status is None or all((item.phase, item.id) != (phase, identifier) for item in status.deliverables):
            return None
        return f"{phase}/{identifier} is complete; it is {status.state} in {status.phase}"

    return judge
