"""Each global setting and feature flag, off: no writes and no timers for what it stands for (on: the other modules)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.driven import Driven, phase
from tests.support.operator_process import OperatorUnderTest, StartOperator

pytestmark = pytest.mark.xdist_group("feature flags")

OFF = {
    "contracts__auto_complete_enabled": {"contracts__auto_complete_enabled": False},
    "contracts__auto_advance_phases": {"contracts__auto_advance_phases": False},
    "feature_flags__auto_complete": {"feature_flags__auto_complete": False},
    "feature_flags__enhanced_contract_status": {"feature_flags__enhanced_contract_status": False},
    "feature_flags__supervisor_heartbeat": {"feature_flags__supervisor_heartbeat": False},
    "feature_flags__monitoring_dashboard": {
        "feature_flags__monitoring_dashboard": False,
        "contracts__stale_threshold_minutes": 0.01,
        "contracts__stale_detection_interval_seconds": 0.1,
    },
    "everything on, soon stale": {
        "contracts__stale_threshold_minutes": 0.01,
        "contracts__stale_detection_interval_seconds": 0.1,
    },
}


@pytest.fixture
def switched(start_operator: StartOperator, request: pytest.FixtureRequest) -> Iterator[OperatorUnderTest]:
    """An operator with one setting off; it has ended before the next one starts."""
    operator = start_operator(**OFF[request.param]).wait_leading()
    yield operator
    operator.stop()


def off(flag: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("switched", [flag], indirect=True)


async def unchanged(driven: Driven, name: str) -> None:
    """The contract, once it is settled, stays as it is while another one is driven through a whole look."""
    await driven.create(f"{name}-first", phases=[phase("x", "y")])
    await driven.until(f"{name}-first", lambda now: now.get("state"))
    before = (await driven.admin.get(name))["metadata"]["resourceVersion"]
    await driven.create(f"{name}-other", phases=[phase("x", "y")])
    await driven.until(f"{name}-other", lambda now: now.get("state"))
    await asyncio.sleep(0.5)  # nothing can be waited for where nothing is to happen
    assert (await driven.admin.get(name))["metadata"]["resourceVersion"] == before


@off("contracts__auto_complete_enabled")
async def test_without_auto_complete_phases_advance_and_completion_is_asked_for(
    driven: Driven, switched: OperatorUnderTest
) -> None:
    await driven.started("complete-off", phase("one"), phase("two"))
    status = await driven.until("complete-off", lambda now: now["phase"] == "two")
    assert status["state"] == "Active"
    await unchanged(driven, "complete-off")
    await driven.advance("complete-off", "Completed")
    await driven.until_state("complete-off", "Completed")


@off("contracts__auto_advance_phases")
async def test_without_auto_advance_phases_move_by_hand_and_completion_by_itself(
    driven: Driven, switched: OperatorUnderTest
) -> None:
    await driven.started("advance-off", phase("one"), phase("two"))
    assert (await driven.status("advance-off"))["phase"] == "one"
    await unchanged(driven, "advance-off")
    await driven.advance("advance-off", "two")
    await driven.until_state("advance-off", "Completed")


@off("feature_flags__auto_complete")
async def test_without_the_flag_auto_complete_nothing_moves_by_itself(
    driven: Driven, switched: OperatorUnderTest
) -> None:
    await driven.started("flag-off", phase("one"), phase("two"))
    await unchanged(driven, "flag-off")
    await driven.advance("flag-off", "two")
    status = await driven.until("flag-off", lambda now: now["phase"] == "two")
    assert (status["state"], "completionDetectedTime" in status) == ("Active", False)
    await driven.advance("flag-off", "Completed")
    await driven.until_state("flag-off", "Completed")


@off("feature_flags__enhanced_contract_status")
async def test_without_the_flag_enhanced_status_only_what_the_old_three_need(
    driven: Driven, switched: OperatorUnderTest
) -> None:
    await driven.create("old", phases=[phase("one", "a"), phase("two")], phaseGuard=True)
    await driven.until_state("old", "Active")
    await driven.report("old", "one/a")
    status = await driven.until("old", lambda now: now.get("deliverables"))
    assert (status["state"], "waitingFor" in status) == ("Active", False)
    await driven.admin.patch_spec("old", suspend=True)
    await unchanged_state(driven, "old", "Active")


async def unchanged_state(driven: Driven, name: str, state: str) -> None:
    generation = (await driven.admin.get(name))["metadata"]["generation"]
    status = await driven.until(name, lambda now: now["observedGeneration"] == generation)
    assert status["state"] == state


@off("feature_flags__supervisor_heartbeat")
async def test_without_the_flag_supervisor_heartbeat_supervisors_are_not_looked_at(
    driven: Driven, switched: OperatorUnderTest
) -> None:
    await driven.register("unseen")
    await driven.create("unseen", phases=[phase("one", "a")])
    await driven.until_state("unseen", "Created")
    await unchanged(driven, "unseen")
    assert "supervisorRef" not in await driven.status("unseen")
    await driven.report("unseen", "one/a")
    await driven.until_state("unseen", "Completed")


@off("feature_flags__supervisor_heartbeat")
async def test_without_the_flag_supervisor_heartbeat_a_contract_that_wants_a_supervisor_gets_neither_it_nor_a_pod(
    driven: Driven, switched: OperatorUnderTest
) -> None:
    template = {"containers": [{"name": "agent", "image": "example.test/agent:1"}]}
    await driven.create("wanting", phases=[phase("one", "a")], supervisor={"template": template})
    await driven.until_state("wanting", "Created")
    await unchanged(driven, "wanting")
    pods = f"/api/v1/namespaces/{driven.admin.namespace}/pods"
    for path in (driven.admin.path("supervisors"), pods):
        listed = await driven.admin.connection.request("GET", path)
        assert "wanting" not in str(listed["items"])
    await driven.report("wanting", "one/a")
    await driven.until_state("wanting", "Completed")


@off("feature_flags__monitoring_dashboard")
async def test_without_the_flag_monitoring_nobody_looks_for_stale_contracts(
    driven: Driven, switched: OperatorUnderTest
) -> None:
    await driven.started("unwatched", phase("one", "a"))
    await asyncio.sleep(1)  # longer than the threshold
    await unchanged(driven, "unwatched")
    kinds = {item["type"] for item in (await driven.status("unwatched"))["conditions"]}
    assert "Stale" not in kinds


@off("everything on, soon stale")
async def test_with_it_a_contract_without_activity_becomes_stale_and_recovers(
    driven: Driven, switched: OperatorUnderTest
) -> None:
    await driven.started("stale", phase("one", "a", "b"))
    message = await driven.until_condition("stale", "Stale", "True", "NoActivity")
    assert "look at its supervisor" in message
    await driven.until_events("stale", "StaleDetected")
    metrics = switched.get("metrics", "/metrics")[1]
    assert "contracts_stale_count 0.0" not in metrics
    before = (await driven.status("stale"))["lastActivityTime"]
    await driven.report("stale", "one/a")
    await driven.until("stale", lambda now: now["lastActivityTime"] > before)
