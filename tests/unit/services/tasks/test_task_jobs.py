"""Tasks as Jobs, with fakes: each runs once, each end is told once, and outages lose nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from makima.domain.settings import Settings
from makima.errors import Denied
from makima.models.enums import TaskState
from makima.models.supervision import Session, StoredTask
from makima.services.tasks.task_jobs import TaskJobs
from makima.services.tasks.task_runs import JobPorts
from makima.services.tasks.workspace import WorkspacePorts, Workspaces
from tests.support.fake_jobs import FakeJobs
from tests.support.fake_supervision import FakeSupervision
from tests.unit.services.reconcile.test_operator import Stage as ContractStage

TASK = "00000000-0000-4000-8000-0000000000aa"
OTHER = "00000000-0000-4000-8000-0000000000bb"
TEMPLATE = {
    "name": "build",
    "backoffLimit": 2,
    "activeDeadlineSeconds": 60,
    "template": {"containers": [{"name": "main", "image": "build:1", "args": ["--all"]}]},
}
SPEC = {"phases": [{"name": "one"}, {"name": "two"}], "taskTemplates": [TEMPLATE]}


class Counted:
    """Counts clearings."""

    def __init__(self) -> None:
        self.cleared: list[tuple[int, int, int]] = []

    def workspace_cleared(self, uid: str, left: int, removed: int, failed: int) -> None:
        self.cleared.append((left, removed, failed))

    def workspace_gone(self, uid: str) -> None:
        self.cleared = []


class Stage(ContractStage):
    """An operator with tasks as Jobs, among fakes."""

    def __init__(self) -> None:
        super().__init__(Settings())
        self.jobs, self.postgres, self.counted = FakeJobs(), FakeSupervision(), Counted()
        spaces = Workspaces(WorkspacePorts(self.jobs, self.jobs, self.postgres, self.events, self.counted, self.clock))
        self.tasks = TaskJobs(JobPorts(self.jobs, self.postgres, self.postgres, self.events, self.clock), spaces)
        self.operator.accompany(self.tasks)
        self.jobs.on_change = self.tasks.see_job

    async def contract(self, **spec: object) -> UUID:
        """A contract that is Active."""
        uid = UUID(self.cluster.create("a", {**SPEC, **spec})["metadata"]["uid"])
        await self.until(lambda: self.status("a").get("state") == "Created")
        self.cluster.patch_status("a", {"lastActivityTime": (self.clock.now() + timedelta(seconds=1)).isoformat()})
        await self.until(lambda: self.status("a").get("state") == "Active")
        self.postgres.add(Session(uid, uid, "ns", "a", 1))
        return uid

    async def spawn(
        self, uid: UUID, task: str = TASK, arguments: tuple[str, ...] = ("-v",), name: str = "build"
    ) -> None:
        """The API service takes a task: Postgres first, then the status."""
        now = self.clock.now()
        stored = StoredTask(UUID(task), uid, "one", "it", TaskState.PENDING, now, name, arguments=arguments)
        self.postgres.all_tasks[stored.id] = stored
        listed = {"id": task, "name": "it", "phase": "one", "state": "Pending", "template": name}
        before = self.status("a").get("tasks", [])
        assert isinstance(before, list)
        self.cluster.patch_status("a", {"tasks": [*before, {**listed, "startTime": now.isoformat()}]})

    def states(self) -> dict[str, str]:
        tasks = self.status("a").get("tasks", [])
        assert isinstance(tasks, list)
        return {task["id"]: task["state"] for task in tasks}

    def told(self) -> list[tuple[str, str]]:
        """Commands: which task, how it ended."""
        return [(item.payload["task_id"], item.payload["state"]) for item in self.postgres.commands.values()]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    stage.operator.start()
    yield stage
    await stage.operator.stop()


async def running(stage: Stage) -> UUID:
    uid = await stage.contract()
    await stage.spawn(uid)
    await stage.until(lambda: stage.states() == {TASK: "Running"})
    return uid


async def test_a_task_with_a_template_runs_as_one_job(stage: Stage) -> None:
    await running(stage)
    assert stage.jobs.created == [f"task-{TASK}"]
    job = stage.jobs.jobs["ns", f"task-{TASK}"]
    assert job["spec"]["backoffLimit"] == 2
    assert job["spec"]["activeDeadlineSeconds"] == 60
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["--all", "-v"]
    assert job["metadata"]["ownerReferences"][0]["kind"] == "Contract"


@pytest.mark.parametrize("failed", [False, True])
async def test_the_end_of_a_job_reaches_postgres_the_contract_and_the_supervisor(stage: Stage, failed: bool) -> None:
    await running(stage)
    stage.jobs.end(f"task-{TASK}", stage.clock.now(), failed=failed, words="" if failed else "42 tests passed\n")
    word = "Failed" if failed else "Completed"
    await stage.until(lambda: stage.states() == {TASK: word})
    stored = stage.postgres.all_tasks[UUID(TASK)]
    assert stored.state.value == word
    assert stored.message == ("BackoffLimitExceeded: too many failures" if failed else "42 tests passed")
    assert stage.told() == [(TASK, word.lower())]


async def test_an_end_that_no_watch_told_of_is_found_by_comparing(stage: Stage) -> None:
    await running(stage)
    stage.jobs.end(f"task-{TASK}", stage.clock.now(), quietly=True)
    await stage.tasks.compare()
    await stage.until(lambda: stage.states() == {TASK: "Completed"})


async def test_a_job_that_was_deleted_is_a_failed_task_and_does_not_run_again(stage: Stage) -> None:
    await running(stage)
    stage.jobs.vanish(f"task-{TASK}")
    await stage.until(lambda: stage.states() == {TASK: "Failed"})
    assert stage.jobs.created == [f"task-{TASK}"]
    assert stage.postgres.all_tasks[UUID(TASK)].message == "its Job was deleted before it ended"


async def test_with_postgres_away_no_end_is_told_and_none_is_lost(stage: Stage) -> None:
    await running(stage)
    stage.postgres.away = True
    stage.jobs.end(f"task-{TASK}", stage.clock.now())
    await stage.until_quiet()
    assert stage.states() == {TASK: "Running"}
    stage.postgres.away = False
    stage.clock.advance(seconds=31)
    await stage.until(lambda: stage.states() == {TASK: "Completed"})
    assert stage.told() == [(TASK, "completed")]


async def test_a_job_that_is_refused_is_an_event_and_is_tried_again(stage: Stage) -> None:
    uid = await stage.contract()
    stage.jobs.refuse = Denied("exceeded quota: pods")
    await stage.spawn(uid)
    await stage.until(lambda: "TaskNotStarted" in stage.events.reasons())
    stage.jobs.refuse = None
    stage.clock.advance(seconds=31)
    await stage.until(lambda: stage.states() == {TASK: "Running"})


async def test_a_paused_contract_starts_no_job_until_it_goes_on(stage: Stage) -> None:
    uid = await stage.contract()
    stage.cluster.patch_spec("a", {"suspend": True})
    await stage.until(lambda: stage.status("a").get("state") == "Paused")
    await stage.spawn(uid)
    await stage.until_quiet()
    assert stage.jobs.created == []
    stage.cluster.patch_spec("a", {"suspend": False})
    await stage.until(lambda: stage.states() == {TASK: "Running"})


async def test_jobs_of_a_failed_contract_are_ended(stage: Stage) -> None:
    await running(stage)
    now = stage.clock.now().isoformat()
    stage.cluster.patch_status("a", {"state": "Failed", "finishedTime": now, "failureReason": "budget spent"})
    await stage.until(lambda: stage.states() == {TASK: "Failed"})
    assert stage.jobs.jobs == {}


async def test_the_job_of_an_ended_task_goes_after_an_hour(stage: Stage) -> None:
    await running(stage)
    stage.jobs.end(f"task-{TASK}", stage.clock.now())
    await stage.until(lambda: stage.states() == {TASK: "Completed"})
    await stage.until_quiet()
    assert stage.jobs.jobs != {}
    stage.clock.advance(seconds=3601)
    await stage.until(lambda: stage.jobs.jobs == {})


async def test_a_workspace_gets_its_claim_once_and_is_cleared_up_after_tasks(stage: Stage) -> None:
    uid = await stage.contract(workspace={"volumeClaim": {"size": "2Gi"}})
    await stage.spawn(uid)
    await stage.until(lambda: stage.states() == {TASK: "Running"})
    assert stage.jobs.claims["a-workspace"]["spec"]["resources"] == {"requests": {"storage": "2Gi"}}
    (first,) = stage.jobs.jobs["ns", f"task-{TASK}"]["spec"]["template"]["spec"]["initContainers"]
    assert first["name"] == "makima-worktree"
    await stage.spawn(uid, OTHER)
    stage.jobs.end(f"task-{TASK}", stage.clock.now())
    clearing = f"worktrees-{uid}"
    await stage.until(lambda: clearing in stage.jobs.created)
    (container,) = stage.jobs.jobs["ns", clearing]["spec"]["template"]["spec"]["containers"]
    said = {item["name"]: item["value"] for item in container["env"]}
    assert (said["ENDED"], said["OPEN"]) == (TASK, OTHER)
    stage.jobs.end(clearing, stage.clock.now() + timedelta(seconds=1), words='{"removed":1,"left":1,"failed":0}')
    await stage.until(lambda: stage.status("a").get("workspace"))
    found = stage.status("a")["workspace"]
    assert isinstance(found, dict)
    assert (found["worktrees"], found["worktreesRemoved"]) == (1, 1)
    assert stage.counted.cleared == [(1, 1, 0)]


async def test_a_clearing_that_failed_is_an_event_and_is_not_tried_again_at_once(stage: Stage) -> None:
    uid = await stage.contract(workspace={"claimName": "there-already"})
    await stage.spawn(uid)
    await stage.until(lambda: stage.states() == {TASK: "Running"})
    assert stage.jobs.claims == {}
    stage.jobs.end(f"task-{TASK}", stage.clock.now())
    await stage.until(lambda: f"worktrees-{uid}" in stage.jobs.created)
    stage.jobs.end(f"worktrees-{uid}", stage.clock.now() + timedelta(seconds=1), failed=True)
    await stage.until(lambda: "WorkspaceNotCleared" in stage.events.reasons())
    await stage.until_quiet()
    assert stage.jobs.created.count(f"worktrees-{uid}") == 1


async def test_a_person_has_worktrees_counted_and_then_cleared_each_once(stage: Stage) -> None:
    uid = await stage.contract(workspace={"claimName": "there-already"})
    clearing, second = f"worktrees-{uid}", stage.clock.now() + timedelta(seconds=1)
    for number, (dry, words, orphans) in enumerate(
        ((True, '{"removed":0,"left":1,"failed":0,"orphans":2}', 2), (False, '{"removed":2,"left":1,"failed":0}', 0)), 1
    ):
        wish = {"expectedClearings": number - 1, "dryRun": dry}
        stage.cluster.patch_spec("a", {"clearWorkspace": wish})
        await stage.until(lambda wanted=number: stage.jobs.created.count(clearing) == wanted)
        (container,) = stage.jobs.jobs["ns", clearing]["spec"]["template"]["spec"]["containers"]
        said = {item["name"]: item["value"] for item in container["env"]}
        assert said["ONLY_COUNT"] == ("yes" if dry else "")
        stage.jobs.end(clearing, second, words=words)  # both in the same second, which is all that Kubernetes tells
        await stage.until(lambda wanted=number: _clearings(stage) == wanted)
        found = stage.status("a")["workspace"]
        assert isinstance(found, dict)
        assert (found["orphans"], found["worktreesRemoved"]) == (orphans, 0 if dry else 2)
    await stage.until_quiet()
    assert stage.jobs.created.count(clearing) == 2


def _clearings(stage: Stage) -> object:
    found = stage.status("a").get("workspace") or {}
    assert isinstance(found, dict)
    return found.get("clearings", 0)


async def test_a_clearing_that_no_image_is_known_for_is_said(stage: Stage) -> None:
    await stage.contract(workspace={"claimName": "there-already"}, taskTemplates=[])
    stage.cluster.patch_spec("a", {"clearWorkspace": {"expectedClearings": 0}})
    await stage.until(lambda: "WorkspaceNotCleared" in stage.events.reasons())
    assert stage.jobs.created == []
