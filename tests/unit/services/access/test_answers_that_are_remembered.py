"""Answers of the API server about callers: what is shown needs no waiting for what is asked again beside."""

from __future__ import annotations

import asyncio

import pytest

from makima.errors import ClusterUnavailable
from makima.services.access import remembered
from makima.services.access.remembered import AHEAD_SECONDS, OLD_NO_SECONDS, Remembered, rest_after


class Server:
    """An API server that answers when it is let; how many questions it has had at most at a time."""

    def __init__(self) -> None:
        self.let, self.now, self.most, self.answered = asyncio.Event(), 0, 0, 0

    async def no(self) -> bool:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.let.wait()
        self.now -= 1
        self.answered += 1
        return False


@pytest.fixture
async def old_noes(monkeypatch: pytest.MonkeyPatch) -> Remembered[int, bool]:
    """A hundred refusals whose time is over."""
    monkeypatch.setattr(remembered, "REFUSED_SECONDS", 0.0)
    known: Remembered[int, bool] = Remembered(bool)
    server = Server()
    server.let.set()
    await asyncio.gather(*(known.get(key, server.no) for key in range(100)))
    await asyncio.sleep(0.001)  # the clock has gone on
    return known


async def test_old_refusals_are_given_at_once_and_asked_about_again_one_at_a_time(
    old_noes: Remembered[int, bool],
) -> None:
    server = Server()
    answers = await old_noes.at_once(range(100), lambda _key: server.no())
    assert answers == [False] * 100
    assert server.answered == 0, "nobody waited for the API server"
    server.let.set()
    async with asyncio.timeout(5):
        while server.answered < 100:
            await asyncio.sleep(0)
    assert server.most == 1


@pytest.mark.parametrize("key", [99, 1000], ids=["one of them", "another"])
async def test_who_has_to_wait_does_not_queue_behind_what_nobody_waits_for(
    old_noes: Remembered[int, bool], key: int
) -> None:
    server = Server()
    await old_noes.at_once(range(100), lambda _key: server.no())

    async def yes() -> bool:
        return True

    async with asyncio.timeout(5):
        assert await old_noes.get(key, yes)
    server.let.set()


async def test_an_api_server_that_is_away_for_one_question_is_asked_the_next(old_noes: Remembered[int, bool]) -> None:
    async def away(_key: int) -> bool:
        raise ClusterUnavailable("no answer")

    server = Server()
    server.let.set()
    assert await old_noes.at_once([1], away) == [False]
    assert await old_noes.at_once([2], lambda _key: server.no()) == [False]
    async with asyncio.timeout(5):
        while server.answered < 1:
            await asyncio.sleep(0)
    assert old_noes.failures == 1


async def test_a_right_that_was_given_meanwhile_is_seen_at_the_second_look(old_noes: Remembered[int, bool]) -> None:
    async def yes(_key: int) -> bool:
        return True

    assert await old_noes.at_once([7], yes) == [False]
    async with asyncio.timeout(5):
        while await old_noes.at_once([7], yes) == [False]:
            await asyncio.sleep(0)


async def test_of_many_answers_only_those_that_are_not_at_hand_are_waited_for_and_all_come_in_order(
    old_noes: Remembered[int, bool],
) -> None:
    async def beyond(key: int) -> bool:
        return key >= 100

    async with asyncio.timeout(5):
        assert await old_noes.at_once([200, 3, 100, 4], beyond) == [True, False, True, False]
        assert await old_noes.at_once([4, 100], beyond) == [False, True]


RESTS = [(0.005, 0, 0.095), (0.005, 40, 0.095), (0.005, 1000, 0.004), (1.0, 0, 1.0), (1.0, 4, 1.0), (1.0, 100, 0.04)]


@pytest.mark.parametrize(("took", "left", "rest"), RESTS)
def test_rests_are_a_multiple_of_the_work_and_shorter_where_many_wait(took: float, left: int, rest: float) -> None:
    assert rest_after(took, left) == pytest.approx(rest)


@pytest.mark.parametrize("number", [100, 1000, remembered.WAITING])
def test_all_are_asked_again_while_their_old_answers_hold(number: int) -> None:
    took = 0.005
    assert sum(took + rest_after(took, left) for left in range(number)) < OLD_NO_SECONDS


async def test_a_yes_that_is_over_soon_is_given_and_asked_about_beside_before_every_no(
    monkeypatch: pytest.MonkeyPatch, old_noes: Remembered[int, bool]
) -> None:
    monkeypatch.setattr(remembered, "CACHED_SECONDS", AHEAD_SECONDS - 1)
    asked: list[int] = []

    async def ask(key: int) -> bool:
        asked.append(key)
        return key == 7 and len(asked) == 1

    async with asyncio.timeout(5):
        assert await old_noes.at_once([7], ask) == [False], "an old no"
        while not asked:
            await asyncio.sleep(0)
        assert await old_noes.at_once([1, 7], ask) == [False, True]
        assert await old_noes.get(7, lambda: ask(7)), "given without waiting"
        while old_noes.known(7):
            await asyncio.sleep(0)
    assert asked[:2] == [7, 7], "the no of 1 came in the queue before"


async def test_a_yes_that_is_young_is_not_asked_about() -> None:
    known: Remembered[int, bool] = Remembered(bool)
    asked: list[int] = []

    async def yes() -> bool:
        asked.append(1)
        return True

    for _ in range(20):
        assert await known.get(1, yes)
        await asyncio.sleep(0)
    assert len(asked) == 1


async def test_what_somebody_had_to_wait_for_is_not_asked_about_a_second_time(old_noes: Remembered[int, bool]) -> None:
    server = Server()
    await old_noes.at_once([1, 2], lambda _key: server.no())
    server.let.set()
    asked: list[int] = []

    async def yes() -> bool:
        asked.append(2)
        return True

    async with asyncio.timeout(5):
        assert await old_noes.get(2, yes)
        while server.answered < 1:
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
    assert (asked, server.answered) == ([2], 1)
