"""Rows of the projection follow what changes without a version, and it is said when nothing waits to be recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from makima.models.contract import Contract
from makima.models.contract_spec import TaskTemplate, Workspace
from makima.models.contract_status import WorkspaceStatus
from makima.models.enums import TaskState
from makima.models.pod_template import PodTemplate
from makima.services.reconcile import recorder as module
from makima.services.reconcile.recorder import HistoryRecorder
from tests.support.builders import UID, a_question, a_task, active, at, wanting, with_questions, with_status, with_tasks
from tests.support.fakes import FakeClock, FakeHistory

POD = PodTemplate.model_validate({"containers": [{"name": "t", "image": "example.test/t:1"}]})


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory()


async def recorded(history: FakeHistory, contract: Contract) -> HistoryRecorder:
    recorder = HistoryRecorder(history, FakeClock())
    recorder.submit(contract)
    await recorder.flush()
    return recorder


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda c: with_tasks(c, a_task(1)), {"running_tasks": 1}),
        (lambda c: with_tasks(c, a_task(1, TaskState.PENDING), a_task(2, TaskState.FAILED)), {"pending_tasks": 1}),
        (lambda c: wanting(c, suspend=True), {"suspended": True, "idle_since": None}),
        (lambda c: with_status(c, waiting_for="answer: Which?"), {"waiting_for": "answer: Which?"}),
    ],
)
async def test_what_changes_without_a_version_is_recorded_again(
    history: FakeHistory, change: Any, shown: dict[str, Any]
) -> None:
    contract = active()
    recorder = await recorded(history, contract)
    assert not recorder.behind(contract)
    changed = change(contract)
    assert recorder.behind(changed)
    recorder.submit(changed)
    await recorder.flush()
    assert not recorder.behind(changed)
    assert {key: getattr(history.shown[UID], key) for key in shown} == shown
    assert recorder.behind(contract)  # and back again


async def test_after_a_restart_only_what_differs_is_recorded_again(history: FakeHistory) -> None:
    busy = with_tasks(active(), a_task(1))
    await recorded(history, busy)
    fresh = HistoryRecorder(history, FakeClock())
    await fresh.learn_recorded()
    assert not fresh.behind(busy)
    assert fresh.behind(with_tasks(busy))  # its task ended while no operator ran


async def test_what_the_row_does_not_show_is_no_reason_to_record(history: FakeHistory) -> None:
    contract = active()
    recorder = await recorded(history, contract)
    assert not recorder.behind(with_questions(contract, a_question(1)))
    assert not recorder.behind(with_status(contract, last_activity_time=at(500)))


async def test_worktrees_are_what_the_last_clearing_left_and_one_for_each_task_with_a_pod_since(
    history: FakeHistory,
) -> None:
    template = TaskTemplate(name="tests", template=POD)
    contract = active(workspace=Workspace(), task_templates=(template,))
    tasks = [
        a_task(number, state).model_copy(update={"template": name, "start_time": at(seconds)})
        for number, (name, seconds, state) in enumerate(
            (
                ("tests", 5, TaskState.RUNNING),
                ("tests", 20, TaskState.COMPLETED),
                ("tests", 30, TaskState.RUNNING),
                (None, 40, TaskState.RUNNING),
            )
        )
    ]
    busy = with_tasks(contract, *tasks)
    await recorded(history, busy)
    assert history.shown[UID].worktrees == 3  # never cleared: all that had a pod
    cleared = WorkspaceStatus(worktrees=1, worktrees_removed=4, worktrees_failed=1, cleared_time=at(10))
    await recorded(history, with_status(busy, workspace=cleared))
    assert history.shown[UID].worktrees == 4  # 1 left, 1 that could not go, 2 since
    counted = cleared.model_copy(update={"orphans": 3})
    await recorded(history, with_status(busy, workspace=counted))
    assert history.shown[UID].worktrees == 6  # 1 left, 3 that nobody needs and that are still there, 2 since
    await recorded(history, with_tasks(active(), *tasks))
    assert history.shown[UID].worktrees == 0  # no workspace


async def test_stale_times_are_kept_for_contracts_that_can_become_stale(history: FakeHistory) -> None:
    own = with_status(active(stale_after_seconds=60), paused_seconds=30, last_activity_time=at(100))
    await recorded(history, own)
    row = history.shown[UID]
    assert (row.idle_since, row.stale_after_seconds, row.stale_at) == (at(130), 60, at(190))
    await recorded(history, with_status(active(), last_activity_time=at(100)))
    row = history.shown[UID]
    assert (row.idle_since, row.stale_after_seconds, row.stale_at) == (at(100), None, None)


async def test_it_is_said_again_and_again_that_nothing_waits_but_not_while_something_does(
    history: FakeHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MARK_SECONDS", 0.02)
    monkeypatch.setattr(module, "GATHER", 0.0)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    history.away = True
    recorder = HistoryRecorder(history, FakeClock())
    recorder.submit(active())
    run = asyncio.create_task(recorder.run())
    try:
        await asyncio.sleep(0.1)
        assert (history.marks, recorder.waiting()) == (0, 1)
        history.away = False
        async with asyncio.timeout(60):
            while history.marks < 3:
                await asyncio.sleep(0.01)
        assert recorder.waiting() == 0
    finally:
        run.cancel()
