"""`history`: what happened to a contract, also to one that is gone.

From makima's API; or from Postgres itself, for an administrator whose configuration names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Call, Ended, common
from makima.cli.contracts.completion import contracts as complete_contracts
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.formats import format_option
from makima.cli.contracts.history_lines import write

if TYPE_CHECKING:
    from makima.client import Person
    from makima.models.history import StoredEvent

Event = dict[str, Any]
PAGE = 500


@click.command("history")
@click.argument("contract", metavar="ID", shell_complete=complete_contracts)
@click.option(
    "--limit", type=click.IntRange(1, 10000), default=1000, show_default=True, help="Most events, oldest first."
)
@click.option("--after", type=click.IntRange(min=0), default=0, help="Begin after this event, as `seq` numbers them.")
@click.option(
    "--tail", type=click.IntRange(min=1), metavar="N", help="Only the last events; --limit and --after say nothing."
)
@format_option()
@common
def command(call: Call, *, contract: str, limit: int, after: int, tail: int | None, form: str) -> None:
    """Show what happened to a contract: of one that is gone, the newest of that name.

    Asks makima's API; where the configuration names a database (MAKIMA_DATABASE_URL), Postgres itself.
    """

    async def work(person: Person) -> list[Event]:
        from makima.client.finding import is_uid, split_name

        namespace, name = split_name(contract, person.namespace)
        return await _by_api(person, namespace, contract if is_uid(contract) else name, wanted)

    wanted = Wanted(after, limit, tail)
    events = _from_postgres(call, contract, wanted) if _has_database(call) else call.run(work) or []
    write(call.screen, events, form)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: from a number on, or the last ones.

    Attributes:
        tail: None = the first ones after `after`.
    """

    after: int
    limit: int
    tail: int | None


def _has_database(call: Call) -> bool:
    """Whether the configuration names Postgres; an address of the API on the command line goes before it."""
    import os

    if call.place.api is not None or not (os.environ.get("MAKIMA_DATABASE_URL") or os.environ.get("MAKIMA_CONFIG")):
        return False
    from makima.config import load_config

    return load_config().database_url is not None


def _from_postgres(call: Call, contract: str, wanted: Wanted) -> list[Event]:
    import asyncio

    from makima.cli.contracts.exits import exit_of
    from makima.client.finding import is_uid, split_name
    from makima.errors import MakimaError

    if is_uid(contract):
        raise Ended("by Postgres alone a contract is found by its name", "namespace/name, or --api URL", Exit.USAGE)
    namespace, name = split_name(contract, call.place.namespace or "default")
    try:
        return [_plain(stored) for stored in asyncio.run(_read(namespace, name, wanted))]
    except Ended:
        raise
    except MakimaError as error:
        raise Ended(error.message, error.hint, exit_of(error)) from error


async def _read(namespace: str, name: str, wanted: Wanted) -> list[StoredEvent]:
    from makima.client.api import NEWEST
    from makima.config import load_config
    from makima.wiring import open_history

    async with open_history(load_config()) as store:
        rows = await store.find_contracts(namespace, name)
        if not rows:
            raise Ended(
                f"CONTRACT_NOT_FOUND: the history has no contract {namespace}/{name}",
                "look at the name, and at MAKIMA_DATABASE_URL",
                Exit.NOT_FOUND,
            )
        uid = rows[0].uid
        if wanted.tail is not None:
            return list(await store.newest_events(uid, NEWEST, wanted.tail))
        return list(await store.events(uid, after=wanted.after, limit=wanted.limit))


async def _by_api(person: Person, namespace: str, name: str, wanted: Wanted) -> list[Event]:
    path = person.api.contract(namespace, name, "events")
    if wanted.tail is not None:
        return await _last(person, path, wanted.tail)
    events, after = list[Event](), wanted.after
    while len(events) < wanted.limit:
        size = min(PAGE, wanted.limit - len(events))
        page = (await person.api.get(path, after=str(after), limit=str(size))).get("events") or []
        if not page:
            break
        events += page
        after = max(int(event["seq"]) for event in page)
    return events


async def _last(person: Person, path: str, number: int) -> list[Event]:
    """The last events, read back page by page."""
    from makima.client.api import NEWEST

    events, before = list[Event](), NEWEST
    while len(events) < number:
        size = min(PAGE, number - len(events))
        page = (await person.api.get(path, before=str(before), limit=str(size))).get("events") or []
        if not page:
            break
        events = [*page, *events]
        before = min(int(event["seq"]) for event in page)
    return events


def _plain(stored: StoredEvent) -> Event:
    event = stored.event
    return {
        "seq": stored.seq,
        "version": event.version,
        "type": event.type,
        "at": event.at.isoformat(),
        "actor": event.actor,
        "payload": dict(event.payload),
    }
