"""SIGKILL of a supervisor's process, its pod, both API replicas, the operator and Postgres, at each save point.

`make e2e` makes every kill, in parts with a world of their own each; `-k 3-of-6` makes one part. `.ci/run` takes a
sample: `MAKIMA_KILLS_SEED` chooses another one, `MAKIMA_KILLS` another size.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from makima.sandbox import Sandbox
from tests.e2e.conftest import world_of_pods
from tests.support.kills.plans import Kill, every_kill, part, sample
from tests.support.kills.suite import Record, all_survived, is_lost, run_one
from tests.support.kills.world import World

pytestmark = [pytest.mark.xdist_group("node"), pytest.mark.exhaustive]

SEED = int(os.environ.get("MAKIMA_KILLS_SEED", "20261125"))
KILLS = int(os.environ.get("MAKIMA_KILLS", "10"))
PARTS = 6


@pytest.fixture
async def there(installed_node: Sandbox, image: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose supervisors are in pods."""
    async with world_of_pods(installed_node, image, tmp_path) as found:
        yield found


@pytest.mark.timeout(1200)
async def test_a_sample_of_kills_loses_nothing_and_doubles_nothing(there: World, record_property: Record) -> None:
    await all_survived(there, sample(every_kill(), SEED, KILLS), SEED, record_property)


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("number", range(1, PARTS + 1), ids=lambda number: f"{number}-of-{PARTS}")
async def test_no_kill_at_any_point_loses_or_doubles_anything(
    there: World, number: int, record_property: Record
) -> None:
    await all_survived(there, part(every_kill(), SEED, number, PARTS), SEED, record_property, in_each=8)


@pytest.mark.timeout(1200)
async def test_with_a_save_point_taken_out_the_same_run_fails(there: World) -> None:
    """Each time beside a run with the same kill that has all of them; `make test` shows it with processes."""
    said, ended = Kill("message began", "before", "process"), Kill("end task", "before", "pod")
    await asyncio.gather(
        run_one(there, "whole", [said, ended]),
        is_lost(run_one(there, "without-message", [said], "message"), "acknowledged, and not there exactly once"),
        is_lost(run_one(there, "without-state", [ended], "state"), "survey.*survey"),
    )
