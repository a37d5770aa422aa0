"""Which key a worker gets next."""

from __future__ import annotations

import asyncio

import pytest

from makima.services.control_loop.work_queue import LISTING_PAUSE, PRESSED, WorkQueue
from makima.services.reconcile.contract_cache import wish_unseen

SOON = 2.0


async def taken(queue: WorkQueue, number: int) -> list[str]:
    """The next keys, each given back at once."""
    keys = []
    for _ in range(number):
        keys.append(await asyncio.wait_for(queue.take(), SOON))
        queue.done(keys[-1])
    return keys


async def test_changes_come_first_and_in_order() -> None:
    queue = WorkQueue()
    queue.put("listed", backlog=9)
    queue.put("changed")
    queue.put("changed too")
    assert await taken(queue, 3) == ["changed", "changed too", "listed"]


async def test_the_newest_change_of_a_backlog_comes_first() -> None:
    queue = WorkQueue()
    for place in (3, 1, 2):
        queue.put(f"at {place}", backlog=place)
    assert await taken(queue, 3) == ["at 3", "at 2", "at 1"]


async def test_the_backlog_waits_until_the_listing_is_over_but_changes_do_not() -> None:
    queue = WorkQueue()
    queue.put("listed", backlog=1)
    worker = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    assert queue.listing() and not worker.done()
    queue.put("changed")
    assert await asyncio.wait_for(worker, LISTING_PAUSE) == "changed"
    assert await asyncio.wait_for(queue.take(), SOON) == "listed"
    assert not queue.listing()


async def test_between_two_pages_of_a_listing_the_backlog_waits_however_long_the_next_takes() -> None:
    queue = WorkQueue()
    queue.listed(all_of_it=False)
    queue.put("listed", backlog=1)
    worker = asyncio.create_task(queue.take())
    await asyncio.sleep(LISTING_PAUSE * 1.5)
    assert queue.listing() and not worker.done()
    queue.listed(all_of_it=True)
    assert await asyncio.wait_for(worker, SOON) == "listed"


async def test_a_listing_does_not_wake_those_that_wait_for_it_again_and_again() -> None:
    queue = WorkQueue()
    looked = 0
    look = queue._next  # that is what a waiting worker does each time it wakes up

    def counted() -> str | None:
        nonlocal looked
        looked += 1
        return look()

    queue._next = counted  # type: ignore[method-assign]
    workers = [asyncio.create_task(queue.take()) for _ in range(4)]
    for place in range(100):
        queue.put(f"at {place}", backlog=place)
        await asyncio.sleep(0)
    assert looked <= 2 * len(workers)
    found = await asyncio.wait_for(asyncio.gather(*workers), SOON)
    assert sorted(found) == ["at 96", "at 97", "at 98", "at 99"]


async def test_every_worker_has_its_key_though_only_one_is_woken_at_a_time() -> None:
    queue = WorkQueue()
    workers = [asyncio.create_task(queue.take()) for _ in range(4)]
    await asyncio.sleep(0)
    for name in "abcd":
        queue.put(name)
    assert sorted(await asyncio.wait_for(asyncio.gather(*workers), SOON)) == ["a", "b", "c", "d"]


async def test_what_a_worker_that_ends_was_woken_for_another_one_takes() -> None:
    queue = WorkQueue()
    ending, staying = (asyncio.create_task(queue.take()) for _ in range(2))
    await asyncio.sleep(0)
    queue.put("a")
    ending.cancel()
    assert await asyncio.wait_for(staying, SOON) == "a"
    assert (await asyncio.gather(ending, return_exceptions=True))[0].__class__ is asyncio.CancelledError


async def test_a_listing_is_not_left_to_one_busy_worker_by_what_was_raised_before() -> None:
    queue = WorkQueue()
    workers = [asyncio.create_task(queue.take()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.put("raised", backlog=1)
    await asyncio.sleep(0)
    queue.put("raised")  # its entry in the backlog is left behind
    await asyncio.sleep(0)
    queue.put("listed", backlog=2)
    async with asyncio.timeout(SOON):
        while sum(worker.done() for worker in workers) < 2:
            await asyncio.sleep(0.01)
    queue.put("listed later", backlog=3)  # both others are at work
    assert sorted(await asyncio.wait_for(asyncio.gather(*workers), SOON)) == ["listed", "listed later", "raised"]


async def test_a_listed_key_that_changes_is_raised_and_looked_at_once() -> None:
    queue = WorkQueue()
    queue.put("other", backlog=2)
    queue.put("raised", backlog=1)
    queue.put("raised")
    assert await taken(queue, 2) == ["raised", "other"]
    assert len(queue) == 0


async def test_no_two_workers_get_one_key_and_what_came_meanwhile_is_looked_at_once_more() -> None:
    queue = WorkQueue()
    queue.put("key")
    assert await queue.take() == "key"
    queue.put("key")
    queue.put("key")
    second = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    assert not second.done()
    queue.done("key")
    assert await asyncio.wait_for(second, SOON) == "key"
    queue.done("key")
    assert len(queue) == 0


async def test_next_steps_are_taken_one_at_a_time_while_changes_wait_and_go_on_once_none_comes() -> None:
    queue = WorkQueue()
    for key in "abcd":
        queue.put(key)
    for key in [await queue.take(), await queue.take()]:
        assert queue.step_later(key)
        queue.done(key)
    assert queue.waiting()
    assert [await asyncio.wait_for(queue.take(), SOON) for _ in range(4)] == ["a", "c", "d", "b"]
    assert not queue.waiting()


async def test_changes_come_before_steps_however_many_of_those_wait() -> None:
    queue = WorkQueue()
    for key in "abcdef":
        queue.put(key)
    for key in [await queue.take() for _ in range(5)]:
        queue.step_later(key)
        queue.done(key)
    assert await queue.take() == "a"
    await asyncio.sleep(PRESSED)
    assert await queue.take() == "f"


async def test_who_is_alone_goes_on_at_once() -> None:
    queue = WorkQueue()
    queue.put("listed", backlog=1)
    queue.put("alone")
    assert await queue.take() == "alone"
    assert not queue.step_later("alone")


async def test_a_change_raises_a_next_step_and_is_looked_at_once() -> None:
    queue = WorkQueue()
    for key in ("stepping", "first"):
        queue.put(key)
    assert await queue.take() == "stepping"
    assert queue.step_later("stepping")
    queue.put("stepping")
    queue.done("stepping")
    queue.put("last")
    assert await taken(queue, 3) == ["first", "stepping", "last"]
    assert len(queue) == 0


@pytest.mark.parametrize(
    ("status", "unseen"),
    [
        ({}, False),
        ({"conditions": [], "observedGeneration": 1}, False),
        ({"state": "Active", "observedGeneration": 2}, False),
        ({"state": "Active", "observedGeneration": 1}, True),
        ({"state": "Active"}, True),
    ],
    ids=["new", "not accepted", "answered", "changed since", "never answered"],
)
def test_a_wish_that_no_status_answers_to_is_not_backlog(status: dict[str, object], unseen: bool) -> None:
    assert wish_unseen({"metadata": {"generation": 2}, "status": status}) is unseen
