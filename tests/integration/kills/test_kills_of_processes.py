"""SIGKILL of supervisors, both API replicas, operator and Postgres at save points: nothing is lost, nothing doubled.

A sample, with supervisors that are processes of this machine; `make e2e` has all of them in pods of a real node.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from makima.sandbox import Sandbox
from tests.support.kills.plans import Kill, every_kill, sample
from tests.support.kills.suite import Record, all_survived, is_lost, run_one
from tests.support.kills.supervisors import OnThisMachine
from tests.support.kills.world import World, world

pytestmark = [pytest.mark.xdist_group("kills"), pytest.mark.timeout(900)]

SEED = int(os.environ.get("MAKIMA_KILLS_SEED", "20261125"))
KILLS = int(os.environ.get("MAKIMA_KILLS", "12"))


@pytest.fixture
async def here(installed_cluster: Sandbox, namespace: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose supervisors run on this machine."""
    supervisors = OnThisMachine(installed_cluster, tmp_path)
    async with world(installed_cluster, namespace, supervisors, tmp_path) as found:
        yield found


async def test_whoever_is_killed_at_a_save_point_nothing_is_lost_and_nothing_happens_twice(
    here: World, record_property: Record
) -> None:
    wanted = sample(every_kill(("process", "api", "operator", "postgres")), SEED, KILLS)
    await all_survived(here, wanted, SEED, record_property)


async def test_with_a_save_point_taken_out_the_same_run_fails(here: World) -> None:
    """Each time beside a run with the same kill that has all of them."""
    said, ended = Kill("message began", "before", "process"), Kill("end task", "before", "process")
    await asyncio.gather(
        run_one(here, "whole", [said, ended]),
        is_lost(run_one(here, "without-message", [said], "message"), "acknowledged, and not there exactly once"),
        is_lost(run_one(here, "without-state", [ended], "state"), "survey.*survey"),
    )
