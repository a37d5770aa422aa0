"""A world of operators, supervisors and time for the tests of this folder that ask for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.supervised import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """One operator leads; all are ended."""
    world = World()
    await world.lead()
    yield world
    for driver in list(world.operators):
        await world.end(driver)
