"""`export`: everything about a contract in one document (plan 4.4)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, Ended, common, now, option
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import as_json, as_yaml, format_option
from makima.cli.contracts.selecting import contract_argument

if TYPE_CHECKING:
    from makima.client import Person

JsonObject = dict[str, Any]
FORMAT = "makima.dev/export/v1"
"""Of the document, as makima's API names it."""


@click.command("export")
@contract_argument
@format_option(("json", "yaml"), "json", output_too=False)
@option(
    "--file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    makima=("-o", "--output"),
    help="Where to write it. Default: standard output.",
)
@click.option("--messages", is_flag=True, help="With the supervisor's saved conversation.")
@click.option("--overwrite", is_flag=True, help="Write over a file that is there.")
@common
def command(call: Call, *, contract: str, form: str, file: Path | None, messages: bool, overwrite: bool) -> None:
    """Write everything about a contract into one document: the resources, its history, tasks and questions.

    What makima's API has is asked of it, also about contracts that are gone; where it can't be reached, the document
    has what Kubernetes alone gives, and says so.
    """
    if file is not None and file.exists() and not overwrite:
        raise Ended(f"{file} is there already", "--overwrite, or another name", Exit.REFUSED)

    async def work(person: Person) -> JsonObject:
        with call.screen.working("export: asking makima's API"):
            return await _document(person, call, contract, messages=messages)

    document = call.run(work)
    if document is None:
        return
    text = as_json(document) + "\n" if form == "json" else as_yaml(document)
    if file is None:
        call.screen.say(text.rstrip("\n"))
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Ended(f"{file} can't be written: {error.strerror}", "name another file", Exit.FAILED) from None
    call.screen.note(f"wrote {file} ({len(text.encode())} bytes)")


async def _document(person: Person, call: Call, wanted: str, *, messages: bool) -> JsonObject:
    from makima.client.api import ApiError, ApiUnreachable
    from makima.client.finding import ContractNotFound, find, is_uid, split_name

    namespace, name = split_name(wanted, person.namespace)
    try:
        body: JsonObject | None = await find(person, wanted)
    except ContractNotFound:
        body = None
    if body is not None:
        namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
    path = person.api.contract(namespace, wanted if is_uid(wanted) else name, "export")
    try:
        document: JsonObject = await person.api.get(path, **({"messages": "true"} if messages else {}))
    except ApiError as error:
        if body is None or not isinstance(error, ApiUnreachable):
            raise
        call.screen.progress("")
        call.screen.note(f"note: without history: {error.message}")
        document = {"format": FORMAT, "exported_at": now().isoformat(), "resource": hidden(body)}
    if "history" in document.get("truncated", ()):
        await _rest_of_history(person, call, document, namespace, name)
    return {**document, **(await _supervisor(person, body) if body is not None else {})}


async def _rest_of_history(person: Person, call: Call, document: JsonObject, namespace: str, name: str) -> None:
    """One answer of the API is bounded; a document is not."""
    history = document["history"]
    while True:
        call.screen.progress(f"export: {len(history)} events")
        after = str(history[-1]["seq"]) if history else "0"
        page = await person.api.get(person.api.contract(namespace, name, "events"), after=after, limit="500")
        history += page["events"]
        if not page["more"]:
            document["truncated"] = [part for part in document["truncated"] if part != "history"]
            return


async def _supervisor(person: Person, body: JsonObject) -> JsonObject:
    from makima.errors import Denied, NotFound

    meta = body["metadata"]
    try:
        return {"supervisor": hidden(await person.cluster.get("supervisors", meta["namespace"], meta["name"]))}
    except (NotFound, Denied):
        return {}


def hidden(body: JsonObject) -> JsonObject:
    """As the API shows it: without bookkeeping, and without values of environment variables."""
    from makima.services.reads.contract_export import without_secrets

    return without_secrets(body)
