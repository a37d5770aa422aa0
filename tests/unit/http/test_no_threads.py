"""No call is taken into a thread: the way there and back costs more than most of what is done for it."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import pytest

from makima.http.app import framework
from makima.http.examples import EXAMPLES
from tests.support.rest_world import RestWorld

CALLS = [
    (call["operationId"], method.upper(), path)
    for path, methods in framework(RestWorld().use).openapi()["paths"].items()
    for method, call in methods.items()
]


@pytest.mark.parametrize(("operation", "method", "path"), CALLS)
async def test_a_call_stays_on_the_loop(
    monkeypatch: pytest.MonkeyPatch, operation: str, method: str, path: str
) -> None:
    taken: list[str] = []

    async def run_sync(work: Any, *rest: Any, **_options: Any) -> Any:
        taken.append(repr(work))
        return work(*rest)

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
    world = RestWorld()
    uid = str(world.contract())
    place = path.replace("{id}", uid).replace("{contract_id}", uid).replace("{question_id}", uid)
    await world.call("connie", method, place.replace("{task_id}", uid), EXAMPLES[operation].request)
    assert not taken
