"""From kubectl apply to Completed, on a real API server, with the history in a real Postgres."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from makima.adapters.postgres.history import PostgresHistory
from makima.errors import Denied
from tests.support.driven import AUTO, Driven, phase, recorded_versions
from tests.support.operator_process import OperatorUnderTest

pytestmark = [pytest.mark.xdist_group("whole life"), pytest.mark.usefixtures("operator")]


async def test_a_simple_contract_runs_from_created_to_completed(driven: Driven, recorded: PostgresHistory) -> None:
    uid = (await driven.create("simple"))["metadata"]["uid"]
    status = await driven.until_state("simple", "Created")
    assert (status["phase"], status["version"], status["phaseProgress"]) == ("plan", 1, "1/2")
    assert [item["name"] for item in status["phases"]] == ["plan", "execute"]
    await driven.report("simple", "plan/plan-document")
    await driven.until("simple", lambda now: now["phase"] == "execute")
    await driven.report("simple", "execute/pull-request")
    status = await driven.until_state("simple", "Completed")
    assert status["completionDetectedTime"]
    meta = (await driven.admin.get("simple"))["metadata"]
    assert not {"finalizers", "annotations"} & meta.keys()
    assert await recorded_versions(recorded, uid, status["version"]) == list(range(1, status["version"] + 1))
    await driven.until_events("simple", "Activated", "PhaseAdvanced", "Completed")


async def test_a_registered_supervisor_makes_a_contract_active(driven: Driven) -> None:
    await driven.create("registered", phases=[phase("work", "result")])
    await driven.until_state("registered", "Created")
    await driven.register("registered")
    assert (await driven.until_state("registered", "Active"))["version"] == 2


async def test_a_guarded_contract_waits_in_each_phase_until_it_is_confirmed(driven: Driven) -> None:
    await driven.started("guarded", phase("one"), phase("two"), phaseGuard=True)
    for current, goal in (("one", "two"), ("two", "Completed")):
        status = await driven.until("guarded", lambda now, at=current: now.get("waitingFor") and now["phase"] == at)
        assert (status["state"], status["waitingFor"]) == ("WaitingForInput", f"confirmation: {current} → {goal}")
        await driven.advance("guarded", goal, confirmed=True)
    status = await driven.until_state("guarded", "Completed")
    assert status["advance"]["outcome"] == "Success"
    assert status["version"] <= 6, "steps fold into one write"
    await driven.until_events("guarded", "ConfirmationRequired", "Completed")


async def test_a_contract_whose_final_validation_fails_is_active_again_and_completes_later(driven: Driven) -> None:
    await driven.started("early", phase("only", "a"))
    before = await driven.status("early")
    version = before["version"] + 1
    move = {"fromState": "Active", "toState": "Completing", "fromPhase": "only", "toPhase": "only"}
    entry = {"version": version, "time": before["stateChangedTime"], "reason": "CompletionDetected", **move}
    too_early = {"state": "Completing", "version": version, "transitions": [*before["transitions"], entry]}
    await driven.admin.patch({"status": too_early}, "early", subresource="status")
    status = await driven.until("early", lambda now: now["version"] > version)
    assert (status["state"], status["transitions"][-1]["reason"]) == ("Active", "FinalValidationFailed")
    assert "a" in status["transitions"][-1]["message"]
    await driven.until_events("early", "FinalValidationFailed")
    await driven.report("early", "only/a")
    await driven.until_state("early", "Completed")


async def test_each_version_is_one_status_write(driven: Driven) -> None:
    path = driven.admin.path("contracts")
    listed = await driven.admin.connection.request("GET", path)
    watch = asyncio.create_task(_watch(driven, listed["metadata"]["resourceVersion"], "counted"))
    await driven.started("counted", phase("one", "a"), phase("two", "b"))
    await driven.report("counted", "one/a")
    await driven.until("counted", lambda now: now["phase"] == "two")
    await driven.report("counted", "two/b")
    status = await driven.until_state("counted", "Completed")
    seen = await watch
    assert all(number == 1 for number in Counter(seen).values()), f"a version was written twice: {seen}"
    assert sorted(set(seen)) == list(range(1, status["version"] + 1))


async def _watch(driven: Driven, since: str, name: str) -> list[int]:
    """Versions of every status write until the contract is Completed."""
    import json

    query = {"watch": "true", "resourceVersion": since, "fieldSelector": f"metadata.name={name}"}
    response = await driven.admin.connection.open("GET", driven.admin.path("contracts"), query=query)
    seen: list[tuple[int, str]] = []
    async with response:
        async for line in response.content:
            body = json.loads(line)["object"]
            status, generation = body.get("status", {}), body["metadata"]["generation"]
            if status and (not seen or json.dumps(status) != seen[-1][1]):
                seen.append((status["version"], json.dumps(status)))
            if status.get("state") == "Completed":
                assert generation >= 1
                return [version for version, _ in seen]
    raise AssertionError("the watch ended before the contract did")


async def test_what_is_finished_can_be_archived_and_stays_so(driven: Driven) -> None:
    await driven.started("archived", phase("only"))
    await driven.until_state("archived", "Completed")
    await driven.admin.patch_spec("archived", archived=True)
    await driven.until_state("archived", "Archived")


async def test_a_finished_contract_is_deleted_when_its_time_is_over_and_its_history_stays(
    driven: Driven, recorded: PostgresHistory
) -> None:
    body = await driven.create("expiring", phases=[phase("only")], ttlSecondsAfterFinished=1)
    await driven.register("expiring")
    await driven.until_gone("expiring")
    versions = await recorded_versions(recorded, body["metadata"]["uid"], 4)
    assert versions == [1, 2, 3, 4]


async def test_without_auto_complete_the_last_phase_waits_to_be_completed_by_hand(driven: Driven) -> None:
    await driven.started("by-hand", phase("one"), phase("two"), autoComplete=False)
    status = await driven.until("by-hand", lambda now: now["phase"] == "two")
    assert status["state"] == "Active"
    await driven.advance("by-hand", "Completed")
    await driven.until_state("by-hand", "Completed")


async def test_a_paused_contract_takes_reports_and_goes_on_when_it_is_resumed(driven: Driven) -> None:
    await driven.started("paused", phase("one", "a"), phase("two", "b"))
    await driven.admin.patch_spec("paused", suspend=True, suspendReason="lunch")
    await driven.until_state("paused", "Paused")
    await driven.report("paused", "one/a")
    status = await driven.until("paused", lambda now: now.get("deliverables"))
    assert (status["state"], status["phase"]) == ("Paused", "one")
    await driven.admin.patch_spec("paused", suspend=False)
    await driven.until("paused", lambda now: (now["state"], now["phase"]) == ("Active", "two"))


async def test_a_contract_type_gives_phases_once_and_may_change_or_go(driven: Driven) -> None:
    from tests.support.kube import an_object

    await driven.admin.create(
        an_object("ContractType", "runbook", {"phases": [phase("check", "report"), phase("fix")]})
    )
    await driven.register("typed")
    await driven.create("typed", type="runbook")
    await driven.until_state("typed", "Active")
    await driven.admin.patch({"spec": {"phases": [{"name": "other", **AUTO}]}}, "runbook", "contracttypes")
    path = driven.admin.path("contracttypes", "runbook")
    await driven.admin.connection.request("DELETE", path)
    await driven.report("typed", "check/report")
    status = await driven.until_state("typed", "Completed")
    assert [item["name"] for item in status["phases"]] == ["check", "fix"]


async def test_a_failed_contract_is_taken_up_again_by_a_retry(driven: Driven, operator: OperatorUnderTest) -> None:
    from tests.support.kube import changed

    await driven.started("failing", phase("one", "a"))
    body = await driven.admin.get("failing")
    finished = {"state": "Failed", "failureReason": "out of budget", "finishedTime": "2026-01-01T00:00:00Z"}
    await driven.admin.put_status(changed(body, **finished))
    status = await driven.status("failing")
    await driven.admin.patch_spec("failing", retry={"expectedVersion": status["version"]})
    status = await driven.until_state("failing", "Active")
    assert "failureReason" not in status
    await driven.until_events("failing", "Retried")


async def test_two_callers_advancing_at_once_move_it_once(driven: Driven) -> None:
    await driven.started("race", phase("one", auto=False), phase("two", auto=False), phase("three", auto=False))
    version = (await driven.status("race"))["version"]
    asked = {"advance": {"to": "two", "expectedVersion": version}}
    results = await asyncio.gather(
        *(driven.admin.patch_spec("race", **asked) for _ in range(8)), return_exceptions=True
    )
    status = await driven.until("race", lambda now: now["phase"] == "two")
    refused = [str(result) for result in results if isinstance(result, Exception)]
    assert all("VERSION_CONFLICT" in text for text in refused), refused
    with pytest.raises(Denied, match=rf"VERSION_CONFLICT.*{version}.*{status['version']}.*two"):
        await driven.admin.patch_spec("race", advance={"to": "three", "expectedVersion": version})
    assert (await driven.status("race"))["version"] == version + 1


async def test_probes_and_metrics_tell_what_is(driven: Driven, operator: OperatorUnderTest) -> None:
    await driven.started("measured", phase("one", "a"), phase("two"))
    await driven.report("measured", "one/a")
    await driven.until_state("measured", "Completed")
    assert operator.get("health", "/healthz")[0] == 200
    assert operator.get("health", "/readyz")[0] == 200
    text = operator.get("metrics", "/metrics")[1]
    found = {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if not line.startswith("#")}
    assert found['contracts_by_status{status="completed"}'] >= 1
    assert found["contracts_stale_count"] == 0
    assert found["phase_transitions_total"] >= 1
    assert found["completion_detections_total"] >= 1
