"""Large bodies are in memory a few at a time; who sends small ones does not notice."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Scope

from makima.http.large_bodies import LargeBodies, may_be_large
from makima.models.wire.message import MESSAGE_BYTES, STATE_BYTES
from makima.services.refusals import Refused

STATE = "/api/v1/contracts/x/supervisor/state"
HEARTBEAT = "/api/v1/contracts/x/supervisor/heartbeat"


def call(size: int | str | None = STATE_BYTES, path: str = STATE) -> Scope:
    """A request that announces this size."""
    return {
        "method": "POST",
        "path": path,
        "headers": [] if size is None else [(b"content-length", str(size).encode())],
    }


class Crowd:
    """Calls that take their turns and stay until told to leave."""

    def __init__(self, large: LargeBodies) -> None:
        self.large, self._leave = large, asyncio.Event()
        self.inside: list[str] = []

    async def come(self, caller: str, scope: Scope) -> None:
        async with self.large.turn(scope, caller):
            self.inside.append(caller)
            await self._leave.wait()
            self.inside.remove(caller)

    def leave(self) -> None:
        self._leave.set()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("size", "path", "large"),
    [
        (MESSAGE_BYTES, STATE, False),
        (MESSAGE_BYTES + 1, STATE, True),
        (STATE_BYTES, STATE, True),
        (STATE_BYTES + 1, STATE, False),
        (None, STATE, True),
        ("many", STATE, True),
        (None, HEARTBEAT, False),
        (STATE_BYTES, HEARTBEAT, False),
    ],
)
def test_a_body_is_large_if_it_says_so_or_may_be_long_and_does_not_say(
    size: int | str | None, path: str, large: bool
) -> None:
    assert may_be_large(call(size, path)) is large


@pytest.mark.parametrize(
    ("path", "large"),
    [
        ("/api/v1/contracts/x/export", True),
        ("/api/v1/contracts/x/supervisor/messages", True),
        ("/api/v1/contracts/x/supervisor/state", False),
        ("/api/v1/contracts", False),
    ],
)
def test_answers_may_be_large_too(path: str, large: bool) -> None:
    assert may_be_large({"method": "GET", "path": path, "headers": []}) is large


async def test_callers_have_their_share_and_all_together_no_more_than_there_is() -> None:
    crowd = Crowd(LargeBodies(5, 2, 60))
    calls = [asyncio.create_task(crowd.come(caller, call())) for caller in "aaaaabbbbbcccccddddd"]
    await settled()
    assert sorted(crowd.inside) == ["a", "a", "b", "b", "c"]
    crowd.leave()
    await asyncio.gather(*calls)
    assert crowd.inside == []


async def test_small_bodies_wait_for_nobody() -> None:
    crowd = Crowd(LargeBodies(1, 1, 60))
    calls = [asyncio.create_task(crowd.come("a", call(size))) for size in (STATE_BYTES, 10, 10, STATE_BYTES)]
    await settled()
    assert len(crowd.inside) == 3
    crowd.leave()
    await asyncio.gather(*calls)


@pytest.mark.parametrize("caller", ["a", "b"])
async def test_who_waits_too_long_is_told_when_to_come_back(caller: str) -> None:
    crowd = Crowd(LargeBodies(1, 1, 0.01))
    first = asyncio.create_task(crowd.come("a", call()))
    await settled()
    with pytest.raises(Refused) as refused:
        await crowd.come(caller, call())
    assert refused.value.problem.code == "UNAVAILABLE"
    assert refused.value.retry_after
    crowd.leave()
    await first


async def test_who_leaves_while_it_waits_keeps_no_turn() -> None:
    crowd = Crowd(LargeBodies(2, 2, 60))
    calls = [asyncio.create_task(crowd.come(caller, call())) for caller in "aaab"]
    await settled()
    for one in calls:
        one.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    again = Crowd(crowd.large)
    calls = [asyncio.create_task(again.come(caller, call())) for caller in "ab"]
    await settled()
    assert sorted(again.inside) == ["a", "b"]
    again.leave()
    await asyncio.gather(*calls)
