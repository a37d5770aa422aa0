"""`create`: a contract from options, from a manifest, or from both."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.acting import acting_options, outcome, report
from makima.cli.contracts.call import DURATION, Call, Ended, common
from makima.cli.contracts.completion import types
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import format_option

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.contract import Contract

LONGEST = 2 * 1024 * 1024
"""Bytes of a manifest; etcd takes 1.5 MiB."""


def _labels(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in value]
    for key, separator, _ in pairs:
        if not key or not separator:
            raise click.BadParameter("write it as KEY=VALUE", ctx, param)
    return {key: text for key, _, text in pairs}


@click.command("create")
@click.argument("name", required=False)
@click.option(
    "-f", "--filename", type=click.File("rb"), help="Manifest to begin with (YAML or JSON; `-`: standard input)."
)
@click.option(
    "--type",
    "kind",
    shell_complete=types,
    help="simple, specification, execute, or a ContractType of the namespace. Default: simple.",
)
@click.option("--description", help="What the work is.")
@click.option(
    "--phase-guard/--no-phase-guard", default=None, help="Every move to the next phase waits for a confirmation."
)
@click.option(
    "--auto-complete/--no-auto-complete", default=None, help="Complete by itself after the last phase. Default: yes."
)
@click.option("--label", "labels", multiple=True, callback=_labels, metavar="KEY=VALUE", help="Label; may be repeated.")
@click.option("--stale-after", type=DURATION, help="Stale after so long without activity. Default: the operator's 30m.")
@click.option("--progress-deadline", type=DURATION, help="Not progressing after so long with heartbeats only.")
@click.option("--ttl", type=DURATION, help="Delete it so long after it has finished. Default: never.")
@click.option("--suspend", is_flag=True, help="Create it paused.")
@acting_options
@format_option()
@common
def command(
    call: Call,
    *,
    name: str | None,
    filename: Any,
    wait: bool,
    dry_run: bool,
    form: str,
    labels: dict[str, str],
    **wanted: Any,
) -> None:
    """Create a contract NAME; options stand over what the manifest says."""
    body = _manifest(filename) if filename is not None else {}
    metadata = dict(body.get("metadata") or {})
    spec = {**(body.get("spec") or {}), **_spec(**wanted)}
    if name is not None:
        metadata["name"] = name
    if not metadata.get("name") and not metadata.get("generateName"):
        raise click.UsageError("name it: create NAME, or a manifest with metadata.name")
    if labels:
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}

    async def work(person: Person) -> tuple[Contract, str | None]:
        from makima.models.contract import Contract

        namespace = call.place.namespace or metadata.get("namespace") or person.namespace
        whole = {
            "apiVersion": "makima.dev/v1alpha1",
            "kind": "Contract",
            "metadata": {**metadata, "namespace": namespace},
        }
        made = await person.cluster.create("contracts", namespace, {**whole, "spec": spec}, dry_run=dry_run)
        contract = Contract.from_object(made)
        return contract, await outcome(person, call, contract, _accepted, wait=wait, dry_run=dry_run)

    done = call.run(work)
    if done is not None:
        report(call, done[0], done[1], "created", form, dry_run=dry_run)


def _manifest(file: Any) -> dict[str, Any]:
    import yaml

    text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise click.UsageError(f"the manifest has more than {LONGEST} bytes")
    try:
        documents = [item for item in yaml.safe_load_all(text) if item is not None]
    except yaml.YAMLError as error:
        raise click.UsageError(f"the manifest is no YAML: {error}") from None
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise click.UsageError(
            f"the manifest has {len(documents)} documents; create takes one contract (else: kubectl apply)"
        )
    found: dict[str, Any] = documents[0]
    if found.get("kind", "Contract") != "Contract":
        raise click.UsageError(f"the manifest is a {found.get('kind')}, not a Contract (for it: kubectl apply)")
    return found


def _spec(
    *,
    kind: str | None,
    description: str | None,
    phase_guard: bool | None,
    auto_complete: bool | None,
    stale_after: timedelta | None,
    progress_deadline: timedelta | None,
    ttl: timedelta | None,
    suspend: bool,
) -> dict[str, Any]:
    """What the options say; the others are left to the manifest and to the defaults."""
    said = {
        "type": kind,
        "description": description,
        "phaseGuard": phase_guard,
        "autoComplete": auto_complete,
        "staleAfterSeconds": _seconds(stale_after),
        "progressDeadlineSeconds": _seconds(progress_deadline),
        "ttlSecondsAfterFinished": _seconds(ttl),
        "suspend": True if suspend else None,
    }
    return {key: value for key, value in said.items() if value is not None}


def _seconds(duration: timedelta | None) -> int | None:
    return int(duration.total_seconds()) if duration is not None else None


def _accepted(contract: Contract) -> str | None:
    if contract.status is not None:
        return f"created, it is {contract.status.state} in {contract.status.phase}"
    ready = next((item for item in contract.early_conditions if item.type == "Ready"), None)
    if ready is None:
        return None
    name = f"{contract.metadata.namespace}/{contract.metadata.name}"
    raise Ended(f"{name} was created, but not accepted: {ready.message}", "mend its spec", Exit.REFUSED)
