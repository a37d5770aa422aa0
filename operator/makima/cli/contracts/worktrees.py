"""Orphaned worktrees: the operator is asked to look into a workspace, then to clear it up (spec.clearWorkspace)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from makima.errors import MakimaError

if TYPE_CHECKING:
    from makima.client import Person
    from makima.domain.wishes.cleanup import Affected
    from makima.models.contract_status import WorkspaceStatus

PATIENCE = 120.0
"""Seconds for one workspace, where --timeout says nothing: a Job has to be scheduled, and its image pulled."""

ATTEMPTS = 3
"""How often it is asked again when a clearing that was under way already took the request's place."""


class NotCleared(MakimaError):
    """Nobody looked into a workspace in time, or something in it could not be removed."""


async def look(person: Person, item: Affected) -> str | None:
    """How many orphans there are; None where there are none.

    Raises:
        MakimaError: nobody told.
    """
    found = await _asked(person, item, dry_run=True)
    return f"{found.orphans} orphaned worktrees" if found.orphans else None


async def clear(person: Person, item: Affected) -> str:
    """What became of them.

    Raises:
        MakimaError: they are not all removed.
    """
    removed = 0
    for _ in range(ATTEMPTS):
        before = await _place(person, item)
        found = await _asked(person, item, dry_run=False)
        removed += found.worktrees_removed - (before.worktrees_removed if before is not None else 0)
        if not found.orphans or found.worktrees_failed:
            break
    done = f"removed {removed} worktrees, {found.worktrees} stay"
    if found.worktrees_failed:
        raise NotCleared(f"{done}; {found.worktrees_failed} could not be removed, see: {_events(item)}")
    return done


def _events(item: Affected) -> str:
    return f"kubectl -n {item.namespace} events --for contract/{item.name}"


async def _place(person: Person, item: Affected) -> WorkspaceStatus | None:
    from makima.models.contract import Contract

    contract = Contract.from_object(await person.cluster.get("contracts", item.namespace, item.name))
    return contract.status.workspace if contract.status is not None else None


async def _asked(person: Person, item: Affected, *, dry_run: bool) -> WorkspaceStatus:
    """Ask, and wait for the clearing after the last one.

    Raises:
        NotCleared: none came.
        makima.errors.ClusterError: it could not be asked.
    """
    before = await _place(person, item)
    made = before.clearings if before is not None else 0
    wish = {"clearWorkspace": {"expectedClearings": made, "dryRun": dry_run}}
    await person.cluster.merge("contracts", item.namespace, item.name, {"spec": wish})
    try:
        async with asyncio.timeout(PATIENCE):
            return await _cleared(person, item, made)
    except TimeoutError:
        text = f"nobody looked into the workspace within {PATIENCE:g} s; see: {_events(item)}"
        raise NotCleared(text) from None


async def _cleared(person: Person, item: Affected, made: int) -> WorkspaceStatus:
    from makima.client.following import Changed, Listed, follow
    from makima.models.contract import Contract

    changes = follow(person.cluster, "contracts", item.namespace, fields=f"metadata.name={item.name}")
    async with aclosing(changes):
        async for change in changes:
            listed = change.bodies if isinstance(change, Listed) else ()
            for body in (change.body,) if isinstance(change, Changed) else listed:
                status = Contract.from_object(body).status
                if status is not None and status.workspace is not None and status.workspace.clearings > made:
                    return status.workspace
    raise AssertionError("a watch never ends by itself")
