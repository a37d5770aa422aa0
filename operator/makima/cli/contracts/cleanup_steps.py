"""The steps of a clean-up, one after the other: what is found, what becomes of it, and the log of that.

One contract that can't be looked at, or acted on, keeps no other from its turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from makima.cli.contracts.call import Call
from makima.cli.contracts.text import plain
from makima.cli.contracts.worktrees import clear, look
from makima.client import Person
from makima.client.wishes import NotPossible, Wishes
from makima.domain.wishes.cleanup import Action, Affected, held_by_worktrees
from makima.errors import MakimaError


@dataclass(frozen=True, slots=True)
class Told:
    """What was found about a contract, or became of it.

    Attributes:
        text: "" where there is nothing to say.
        failed: it could not be looked at, or not be done.
    """

    item: Affected
    text: str = ""
    failed: bool = False


async def look_at_worktrees(person: Person, call: Call, planned: Sequence[Affected]) -> list[Told]:
    """With what was found in the workspaces; a workspace without orphans is left out."""
    looked = []
    for number, item in enumerate(planned, 1):
        if item.action is not Action.CLEAR_WORKTREES:
            looked.append(Told(item))
            continue
        call.screen.progress(f"looking into workspaces: {number}/{len(planned)} {item.namespace}/{item.name}")
        try:
            said = await look(person, item)
        except MakimaError as error:
            looked.append(_failed(item, error))
        else:
            looked += [Told(item, said)] if said is not None else []
    call.screen.progress("")
    return looked


def kept(told: Told, others: Iterable[Told]) -> Told | None:
    """Why it is left alone, by what is known of it and of the others; None where it is its turn."""
    if told.failed:
        return told
    held = told.item.held or held_by_worktrees(told.item, {other.item.uid for other in others if other.failed})
    return Told(told.item, f"left alone: {held}") if held is not None else None


def would(told: Told, looked: Sequence[Told]) -> Told:
    """What would be done."""
    found = f" ({told.text})" if told.text else ""
    return kept(told, looked) or Told(told.item, f"would {told.item.action}{found}")


async def carry_out(person: Person, call: Call, looked: Sequence[Told]) -> list[Told]:
    """Do it, one after the other. Each step is logged before the next begins: whatever ends the process, it is told."""
    results: list[Told] = []
    for number, told in enumerate(looked, 1):
        item = told.item
        call.screen.progress(f"{number}/{len(looked)} {item.action} {item.namespace}/{item.name}")
        try:
            result = kept(told, results) or await _acted(person, item)
        except BaseException:  # --timeout, or interrupted
            _log(call, item, f"{item.action} cut off; look again")
            raise
        _log(call, item, result.text)
        results.append(result)
    return results


def _log(call: Call, item: Affected, text: str) -> None:
    call.screen.progress("")
    call.screen.note(f"  {plain(f'{item.namespace}/{item.name} ({item.uid}): {text}')}")


async def _acted(person: Person, item: Affected) -> Told:
    try:
        return Told(item, await _one(person, item))
    except MakimaError as error:
        return _failed(item, error)


def _failed(item: Affected, error: MakimaError) -> Told:
    return Told(item, f"failed: {error.message}", failed=True)


async def _one(person: Person, item: Affected) -> str:
    wishes = Wishes(person.cluster, item.namespace, item.name)
    match item.action:
        case Action.ARCHIVE:
            return await _archive(wishes, item)
        case Action.DELETE:
            await wishes.delete(item.uid)
            return "deleted"
        case _:
            return await clear(person, item)


async def _archive(wishes: Wishes, item: Affected) -> str:
    try:
        await wishes.archive_finished(item.uid)
    except NotPossible as error:
        return f"left alone: {error.message}"
    return "archived"
