"""SIGKILL of a supervisor's process, its pod, both API replicas, the operator and Postgres, at each save point.

A sample: `MAKIMA_KILLS_SEED` chooses another one, `MAKIMA_KILLS` another size (230 is every victim at every point).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from makima.sandbox import Sandbox
from tests.e2e.conftest import world_of_pods
from tests.support.kills.plans import Kill, every_kill, sample
from tests.support.kills.suite import is_lost, run_all, run_one
from tests.support.kills.world import World

pytestmark = pytest.mark.xdist_group("node")

SEED = int(os.environ.get("MAKIMA_KILLS_SEED", "20261125"))
KILLS = int(os.environ.get("MAKIMA_KILLS", "15"))


@pytest.fixture
async def there(installed_node: Sandbox, image: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose supervisors are in pods."""
    async with world_of_pods(installed_node, image, tmp_path) as found:
        yield found


@pytest.mark.timeout(3600)
async def test_a_sample_of_kills_loses_nothing_and_doubles_nothing(there: World) -> None:
    wanted = sample(every_kill(), SEED, KILLS)
    done = await run_all(there, wanted, SEED)
    assert sorted(map(str, there.kills)) == sorted(map(str, wanted))
    assert any(run.refusals for run in done), "no life that was over tried to write"


@pytest.mark.timeout(1200)
async def test_with_a_save_point_taken_out_the_same_run_fails(there: World) -> None:
    """Each time beside a run with the same kill that has all of them."""
    said, ended = Kill("message began", "before", "process"), Kill("end task", "before", "pod")
    await asyncio.gather(
        run_one(there, "whole", [said, ended]),
        is_lost(run_one(there, "without-message", [said], "message"), "acknowledged, and not there exactly once"),
        is_lost(run_one(there, "without-state", [ended], "state"), "survey.*survey"),
    )
