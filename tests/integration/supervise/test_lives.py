"""Lives of supervisors in pods: begun, ended by exit, deletion and silence, restarted, suspended, failed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from makima.models.enums import RestorationOutcome, SupervisorState
from makima.models.wire.memory import AppendMessages, ConversationMessage
from tests.integration.supervise.conftest import Lives
from tests.support.operator_process import OperatorUnderTest

pytestmark = [pytest.mark.xdist_group("supervise"), pytest.mark.usefixtures("operator")]


async def test_a_contract_gets_a_supervisor_and_that_a_pod_with_an_identity(lives: Lives) -> None:
    contract = await lives.supervised("begin")
    pod = await lives.kubelet.pod("begin-1")
    environment = {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}
    assert environment["MAKIMA_API_URL"] == "http://api.test:8090"
    assert environment["MAKIMA_CONTRACT"] == f"{lives.admin.namespace}/begin"
    assert environment["MAKIMA_INCARNATION"] == "1"
    status = await lives.alive("begin", "Starting")
    assert (status["podName"], status["podUid"]) == ("begin-1", pod["metadata"]["uid"])
    assert str((await lives.session(contract)).pod_uid) == pod["metadata"]["uid"]
    assert (await lives.status("begin"))["supervisorRef"]["incarnation"] == 1
    await lives.until_state("begin", "Active")


async def test_what_it_does_is_shown(lives: Lives) -> None:
    contract = await lives.living("shown")
    await lives.beat(contract, activity="writing tests", progress=45)
    status = await lives.shows("shown", lambda now: now.get("progress") == 45)
    assert (status["currentActivity"], status["phase"], status["pendingTasks"]) == ("writing tests", "one", 0)
    await lives.beat(contract, SupervisorState.WAITING_FOR_USER)
    await lives.until_state("shown", "WaitingForInput")
    await lives.beat(contract)
    await lives.until_state("shown", "Active")
    await lives.beat(contract, SupervisorState.BLOCKED)
    await lives.until_state("shown", "Blocked")


async def test_a_pod_that_exits_is_followed_by_the_next_life(lives: Lives) -> None:
    contract = await lives.living("exits")
    await lives.kubelet.exit("exits-1", 137, "OOMKilled")
    second = await lives.kubelet.pod("exits-2")
    status = await lives.shows("exits", lambda now: now.get("podName") == "exits-2")
    assert (status["incarnation"], status["restarts"], status["podUid"]) == (2, 1, second["metadata"]["uid"])
    session = await lives.session(contract)
    assert (session.incarnation, str(session.pod_uid)) == (2, second["metadata"]["uid"])
    await lives.come_alive("exits", contract, 2)
    at = datetime.now(UTC)
    await lives.stores.registry.record_restoration(contract, 2, RestorationOutcome.RESUMED, "at message 7", at)
    status = await lives.shows("exits", lambda now: now.get("restoration"))
    assert (status["restoration"]["outcome"], status["restoration"]["message"]) == ("Resumed", "at message 7")


async def test_a_pod_that_is_deleted_is_replaced_once_it_has_ended(lives: Lives) -> None:
    await lives.living("deleted")
    await lives.kubelet.delete("deleted-1")
    await lives.shows("deleted", lambda now: now["incarnation"] == 2)
    assert "deleted-2" not in await lives.kubelet.pods()
    await lives.kubelet.end("deleted-1")
    await lives.kubelet.pod("deleted-2")


async def test_silence_that_was_covered_ends_a_life(lives: Lives) -> None:
    settings = {"heartbeatPeriodSeconds": 1, "heartbeatTimeoutSeconds": 3}
    await lives.covered(datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(minutes=5))
    await lives.living("silent", **settings)
    status = await lives.shows("silent", lambda now: now["incarnation"] == 2)
    assert "nothing was heard" in status["errorMessage"]
    await lives.kubelet.until_leaving("silent-1")
    await lives.kubelet.end("silent-1")
    await lives.kubelet.pod("silent-2")


async def test_a_spent_budget_fails_the_contract_and_retry_begins_anew(lives: Lives) -> None:
    restart = {"maxRestarts": 0, "backoff": {"seconds": 0}}
    contract = await lives.living("spent", restart=restart)
    await lives.kubelet.exit("spent-1", 1)
    status = await lives.until_state("spent", "Failed")
    assert "restart budget spent" in status["failureReason"]
    assert (await lives.supervisor("spent"))["state"] == "Failed"
    await lives.admin.patch_spec("spent", retry={"expectedVersion": status["version"]})
    await lives.kubelet.pod("spent-2")
    await lives.come_alive("spent", contract, 2)
    assert (await lives.supervisor("spent"))["restarts"] == 0


async def test_suspend_frees_the_pod_and_the_next_life_follows_when_it_ends(lives: Lives) -> None:
    await lives.living("asleep")
    await lives.admin.patch({"spec": {"suspend": True}}, "asleep", "supervisors")
    await lives.kubelet.until_leaving("asleep-1")
    await lives.kubelet.end("asleep-1")
    await lives.alive("asleep", "Suspended")
    await lives.admin.patch({"spec": {"suspend": False}}, "asleep", "supervisors")
    await lives.kubelet.pod("asleep-2")
    assert (await lives.supervisor("asleep"))["restarts"] == 0


async def test_a_pod_is_released_while_a_person_is_asked_and_comes_back_when_the_contract_goes_on(lives: Lives) -> None:
    contract = await lives.living("released", whileWaiting="Release")
    question = {"id": "00000000-0000-4000-8000-0000000000cc", "question": "Which?", "type": "free-text", "phase": "one"}
    asked = {"status": {"questions": [{**question, "askedTime": datetime.now(UTC).isoformat()}]}}
    await lives.admin.patch(asked, "released", subresource="status")
    await lives.kubelet.until_leaving("released-1")
    await lives.kubelet.end("released-1")
    await lives.alive("released", "Released")
    assert (await lives.session(contract)).incarnation == 1
    answers = [{"questionId": question["id"], "answer": "this one"}]
    await lives.admin.patch_spec("released", answers=answers)
    await lives.kubelet.pod("released-2")


async def test_restart_supervisor_replaces_the_life_that_it_names(lives: Lives) -> None:
    await lives.living("asked")
    await lives.admin.patch_spec("asked", restartSupervisor={"expectedIncarnation": 1})
    await lives.kubelet.until_leaving("asked-1")
    await lives.kubelet.end("asked-1")
    await lives.kubelet.pod("asked-2")
    assert (await lives.supervisor("asked"))["restarts"] == 0


async def test_a_killed_operator_is_followed_by_one_that_goes_on(lives: Lives, operator: OperatorUnderTest) -> None:
    await lives.living("taken-over")
    operator.kill()
    await lives.kubelet.exit("taken-over-1", 1)
    operator.start().wait_leading()
    await lives.kubelet.pod("taken-over-2")
    status = await lives.shows("taken-over", lambda now: now.get("podName") == "taken-over-2")
    assert (status["incarnation"], status["restarts"]) == (2, 1)


async def test_restarts_and_restorations_are_counted(lives: Lives, operator: OperatorUnderTest) -> None:
    _, text = operator.get("metrics", "/metrics")
    assert 'supervisor_restarts_total{reason="Exited"}' in text
    assert 'supervisor_restorations_total{outcome="resumed"}' in text


async def commands(lives: Lives, contract: UUID) -> list[str]:
    """Kinds of the commands that wait, oldest first."""
    return [item.kind.value for item in await lives.stores.commands.unacknowledged([contract])]


async def test_a_supervisor_is_told_of_pause_resume_and_the_answer_to_its_question(lives: Lives) -> None:
    contract = await lives.living("told")
    question = "00000000-0000-4000-8000-0000000000dd"
    asked = {"id": question, "question": "Which?", "type": "free-text", "phase": "one"}
    asked["askedTime"] = datetime.now(UTC).isoformat()
    await lives.admin.patch({"status": {"questions": [asked]}}, "told", subresource="status")
    await lives.until_state("told", "WaitingForInput")
    await lives.admin.patch_spec("told", answers=[{"questionId": question, "answer": "this one"}])
    await lives.until("told", lambda now: not now.get("questions"))
    (stored,) = await lives.stores.work.questions(contract)
    assert (stored.answer, stored.incarnation) == ("this one", 1)
    await lives.until_state("told", "Active")
    await lives.admin.patch_spec("told", suspend=True)
    await lives.until_state("told", "Paused")
    await lives.admin.patch_spec("told", suspend=False)
    await lives.until_state("told", "Active")
    for _ in range(200):
        if len(await commands(lives, contract)) == 3:
            break
        await asyncio.sleep(0.05)
    assert await commands(lives, contract) == ["Answer", "Pause", "Resume"]


async def test_work_that_only_postgres_knows_of_is_seen(lives: Lives) -> None:
    contract = await lives.living("worked")
    assert await lives.stores.memory.worked(contract) is None
    message = ConversationMessage(id=uuid4(), role="assistant", content="Done.")
    at = datetime.now(UTC)
    call = AppendMessages(incarnation=1, first_sequence=1, messages=(message,))
    await lives.stores.memory.append_messages(contract, call, at)
    assert await lives.stores.memory.worked(contract) == at
