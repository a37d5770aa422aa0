"""A flag that is off has no routes."""

from __future__ import annotations

import pytest

from makima.domain.settings import Settings
from tests.support.rest_world import RestWorld

FLAGS = {
    "enhanced_status": [("POST", "/ns:work/status", {"status": "paused"})],
    "auto_complete": [
        ("GET", "/ns:work/phase-readiness", None),
        ("POST", "/ns:work/check-completion", None),
        ("PUT", "/ns:work/auto-complete", {"enabled": True}),
    ],
    "supervisor_heartbeat": [],
}


@pytest.mark.parametrize("flag", FLAGS)
async def test_a_flag_switches_its_routes(flag: str) -> None:
    on, off = RestWorld(), RestWorld(Settings(**{flag: False}))
    for world in (on, off):
        world.contract()
    for method, path, body in FLAGS[flag]:
        await on.good("ann", method, path, body)
        assert await off.refused("ann", method, path, body) == (404, "NOT_FOUND")
    await off.good("ann", "GET", "/ns:work")
