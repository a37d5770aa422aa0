"""What the watch of Supervisors did not show is found by the next comparison but one, and acted on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

from makima.services.reconcile.resync import resync
from tests.support.supervised import World, running

NAME = ("ns", "a")

Follows = Callable[[], object]
"""Whether the operator has acted on it."""


@contextmanager
def unseen(world: World) -> Iterator[None]:
    """Nobody is shown what happens to supervisors meanwhile."""
    watchers, world.lives.watchers = world.lives.watchers, []
    yield
    world.lives.watchers = watchers


async def compared(world: World) -> None:
    """Two comparisons: the first leaves supervisors to the watch's own list."""
    for _ in range(2):
        await resync(world.operators[0].operator)
    await world.until_quiet()


async def made(world: World) -> Follows:
    world.unsupervised()
    await world.until_quiet()
    with unseen(world):
        world.apply_supervisor()
    return lambda: world.state() == "Active"


async def changed(world: World) -> Follows:
    await running(world)
    await world.until_quiet()
    with unseen(world):
        world.lives.change("a", heartbeatTimeoutSeconds=99)
    return lambda: world.status()["observedGeneration"] == world.lives.supervisors[NAME]["metadata"]["generation"]


async def deleted(world: World) -> Follows:
    await running(world)
    await world.until_quiet()
    with unseen(world):
        world.lives._changed(world.lives.supervisors, "DELETED", world.lives.supervisors[NAME])
    return lambda: NAME in world.lives.supervisors


@pytest.mark.parametrize("happens", [made, changed, deleted], ids=lambda function: function.__name__)
async def test_what_the_watch_did_not_show_is_acted_on(
    world: World, happens: Callable[[World], Awaitable[Follows]]
) -> None:
    follows = await happens(world)
    await world.until_quiet()
    assert not follows(), "it would be acted on anyway"
    await compared(world)
    assert follows()


async def test_where_nothing_was_missed_nothing_is_read_or_done(world: World) -> None:
    await running(world)
    await world.until_quiet()
    before, world.lives.supervisor = list(world.lives.calls), None  # type: ignore[assignment, method-assign]
    await compared(world)
    assert world.lives.calls == before
