"""Contracts and supervisors as one picture: whole before it is shown, without what is hidden, never quietly old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from makima.client import following
from makima.client.picture import Picture, pictures
from makima.errors import ClusterUnavailable, Denied
from tests.support.monitor_contracts import a_body
from tests.support.played_cluster import PlayedCluster


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_WAIT", 0.001)
    monkeypatch.setattr("makima.client.picture.GATHER", 0.0)


def watched(cluster: PlayedCluster, **more: Any) -> AsyncGenerator[Picture, None]:
    return pictures(cluster, (None,), every=0.05, **more)  # type: ignore[arg-type]


async def until(found: AsyncGenerator[Picture, None], holds: Callable[[Picture], bool]) -> Picture:
    async with asyncio.timeout(10):
        async for picture in found:
            if holds(picture):
                return picture
    raise AssertionError("it ended")


async def test_it_is_whole_before_it_is_shown_and_follows_what_changes() -> None:
    cluster = PlayedCluster(a_body("pay"), a_body("web"))
    async with aclosing(watched(cluster, selector="a=b", fields="c=d")) as found:
        first = await anext(found)
        assert first.whole and set(first.contracts) == {("team-a", "pay"), ("team-a", "web")}
        assert set(first.supervisors) == {("team-a", "pay")}
        cluster.tell("contracts", {"type": "MODIFIED", "object": a_body("pay", "Paused")})
        await until(found, lambda now: str(now.contracts["team-a", "pay"].status.state) == "Paused")  # type: ignore[union-attr]
        cluster.tell("contracts", {"type": "DELETED", "object": a_body("web")})
        await until(found, lambda now: set(now.contracts) == {("team-a", "pay")})
    assert cluster.asked[0] == ("contracts", None, "a=b", "c=d"), "selectors are of contracts"
    assert cluster.asked[1] == ("supervisors", None, "", "")


async def test_supervisors_are_left_out_where_they_may_not_be_seen() -> None:
    cluster = PlayedCluster(a_body("pay"))
    cluster.denied = {"supervisors"}
    async with aclosing(watched(cluster)) as found:
        picture = await anext(found)
        assert picture.whole and not picture.supervisors
        cluster.tell("contracts", {"type": "DELETED", "object": a_body("pay")})
        await until(found, lambda now: not now.contracts)


@pytest.mark.parametrize("denied", [{"contracts"}, {"contracts", "supervisors"}])
async def test_who_may_not_see_contracts_is_told_so(denied: set[str]) -> None:
    cluster = PlayedCluster()
    cluster.denied = denied
    async with aclosing(watched(cluster)) as found:
        with pytest.raises(Denied, match="contracts is forbidden"):
            await until(found, lambda _: False)


async def test_a_watch_that_is_lost_is_said_until_it_works_again() -> None:
    cluster = PlayedCluster(a_body("pay"), a_body("web"))
    async with aclosing(watched(cluster)) as found:
        await anext(found)
        cluster.tell("contracts", ClusterUnavailable("away"))
        await until(found, lambda now: now.lost == "away")
        cluster.tell("contracts", {"type": "MODIFIED", "object": a_body("pay")})
        await until(found, lambda now: now.lost is None)


async def test_what_is_not_listed_again_is_gone() -> None:
    cluster = PlayedCluster(a_body("pay"), a_body("web"))
    async with aclosing(watched(cluster)) as found:
        await anext(found)
        cluster.contracts = [a_body("web"), a_body("new", namespace="team-b")]
        cluster.tell("contracts", {"type": "ERROR", "object": {"code": 410}})
        cluster.tell("contracts", ClusterUnavailable("it is listed anew"))
        await until(found, lambda now: set(now.contracts) == {("team-a", "web"), ("team-b", "new")})


async def test_it_is_shown_again_without_a_change_as_time_is_one() -> None:
    async with aclosing(watched(PlayedCluster(a_body("pay")))) as found, asyncio.timeout(10):
        for _ in range(3):
            await anext(found)
