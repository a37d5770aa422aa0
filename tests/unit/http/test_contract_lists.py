"""Lists over REST, in front of fakes: filters, pages, cursors, and who sees what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from makima.domain.settings import Settings
from tests.support.fakes import START
from tests.support.people import a_row
from tests.support.rest_world import RestWorld

STATES = ["created", "active", "waiting_for_input", "paused", "completed", "failed", "archived"]


def a_world(count: int = 20, settings: Settings | None = None) -> RestWorld:
    """Contracts 0, 1, … of every state, two in each second, every third in `elsewhere`, every fifth gone."""
    world = RestWorld(settings)
    for number in range(count):
        world.history.add(
            a_row(
                UUID(int=number + 1),
                f"c{number}",
                "elsewhere" if number % 3 == 2 else "ns",
                created_at=START + timedelta(seconds=number // 2),
                status=STATES[number % len(STATES)],
                phase="plan" if number % 2 else "execute",
                labels={"team": "blue"} if number % 4 == 0 else {},
                deleted_at=START if number % 5 == 4 else None,
            )
        )
    return world


async def every(world: RestWorld, who: str, query: str = "", limit: int = 3) -> list[str]:
    """Names on all pages."""
    found: list[str] = []
    cursor = ""
    while True:
        page = await world.good(who, "GET", f"?limit={limit}&{query}{cursor}")
        found += [one["name"] for one in page["contracts"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


MINE = [n for n in range(19, -1, -1) if n % 3 != 2]
FILTERS: dict[str, Any] = {
    "": lambda n: n % 5 != 4,
    "status=active": lambda n: n % 5 != 4 and STATES[n % 7] == "active",
    "status=active&status=failed": lambda n: n % 5 != 4 and STATES[n % 7] in ("active", "failed"),
    "status=active,failed": lambda n: n % 5 != 4 and STATES[n % 7] in ("active", "failed"),
    "waiting=true": lambda n: n % 5 != 4 and STATES[n % 7] == "waiting_for_input",
    "waiting=true&status=active": lambda n: False,
    "phase=plan": lambda n: n % 5 != 4 and n % 2,
    "type=simple": lambda n: n % 5 != 4,
    "type=other": lambda n: False,
    "name=c6": lambda n: n == 6,
    "label=team%3Dblue": lambda n: n % 5 != 4 and n % 4 == 0,
    "gone=true": lambda n: n % 5 == 4,
    "namespace=ns": lambda n: n % 5 != 4,
}


@pytest.mark.parametrize("query", FILTERS)
async def test_filters_newest_first_over_all_pages(query: str) -> None:
    found = await every(a_world(), "ray", query)
    assert sorted(found) == sorted(f"c{n}" for n in MINE if FILTERS[query](n))
    assert [int(name[1:]) // 2 for name in found] == sorted((int(name[1:]) // 2 for name in found), reverse=True)


async def test_a_page_may_be_empty_and_have_a_next_one() -> None:
    world = a_world()
    world.lists.rows = 2
    assert sorted(await every(world, "ray", "name=c0")) == ["c0"]


async def test_everybody_sees_their_namespaces() -> None:
    world = a_world()
    world.reviews.grant("root", "", "list")
    assert {int(name[1:]) % 3 for name in await every(world, "bob")} == {2}
    assert len(await every(world, "root")) == 16
    world.reviews.users.add("nobody")
    assert await every(world, "nobody") == []
    assert await world.refused("ray", "GET", "?namespace=elsewhere") == (403, "FORBIDDEN")
    assert await world.refused("ray", "GET", "?namespace=ns&namespace=elsewhere") == (403, "FORBIDDEN")
    assert await world.refused("ray", "GET", "?namespace=never-was") == (403, "FORBIDDEN")


OLD = {
    "active": {"created", "active", "waiting_for_input", "paused"},
    "completed": {"completed", "failed"},
    "archived": {"archived"},
}


@pytest.mark.parametrize("old", OLD)
async def test_with_enhanced_status_off_old_statuses_filter_and_are_shown(old: str) -> None:
    world = a_world(settings=Settings(enhanced_status=False))
    page = await world.good("ray", "GET", f"?status={old}")
    assert {(one["status"], one["state"]) for one in page["contracts"]} == {(old, old)}
    expected = {f"c{n}" for n in MINE if n % 5 != 4 and STATES[n % len(STATES)] in OLD[old]}
    assert {one["name"] for one in page["contracts"]} == expected
    assert await world.refused("ray", "GET", "?status=paused") == (400, "VALIDATION_FAILED")


async def test_the_list_says_how_new_it_is() -> None:
    world = a_world()
    assert (await world.good("ray", "GET", ""))["projection"] == {"recorded_at": None, "lag_seconds": None}
    world.lists.caught_up = START - timedelta(seconds=4)
    assert (await world.good("ray", "GET", ""))["projection"]["lag_seconds"] == 4


async def test_without_postgres_there_is_no_list() -> None:
    world = a_world()
    world.reviews.grant("root", "", "list")
    world.history.away = True
    assert await world.refused("root", "GET", "") == (503, "UNAVAILABLE")


BAD = ["status=dancing", "status=", "label=nonsense", "label=%3Dx", "threshold=soon", "threshold=999999999w", "limit=0"]
BAD += ["limit=501", "limit=x", "stale=perhaps", "statsu=active", "cursor=", "cursor=nonsense", "cursor=%00", "gone=2"]
BAD += ["name=" + "x" * 254, "cursor=" + "x" * 129, "&".join(["status=active"] * 65)]


@pytest.mark.parametrize("query", BAD, ids=range(len(BAD)))
async def test_filters_that_are_none_are_refused(query: str) -> None:
    assert await a_world().refused("ray", "GET", f"?{query}") == (400, "VALIDATION_FAILED")


async def test_cursors_are_of_their_query_their_caller_and_their_hour() -> None:
    world = a_world()
    world.reviews.grant("connie", "ns", "list")
    cursor = (await world.good("ray", "GET", "?limit=2"))["next_cursor"]
    await world.good("ray", "GET", f"?limit=5&cursor={cursor}")
    for who, query in (("ray", "phase=plan&"), ("connie", ""), ("ray", "gone=true&")):
        status, answer = await world.call(who, "GET", f"?{query}cursor={cursor}")
        assert (status, answer["error"]["field"]) == (400, "cursor")
        assert "another query" in answer["error"]["message"]
    for changed in (cursor[:-1], cursor + "AA", cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]):
        assert await world.refused("ray", "GET", f"?cursor={changed}") == (400, "VALIDATION_FAILED")
    world.clock.advance(minutes=61)
    status, answer = await world.call("ray", "GET", f"?cursor={cursor}")
    assert status == 400 and "expired" in answer["error"]["message"]
