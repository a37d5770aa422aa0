"""More API pods when there is more to do, fewer afterwards, and no heartbeat lost on either way.

Reads CPU as a cluster does, from Kubernetes' metrics server; the autoscaler is kube-controller-manager's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.load import assert_nothing_lost_or_doubled, load
from tests.e2e.metrics_server import measuring
from tests.e2e.release import SYSTEM, Release, node_for_a_release
from tests.support.helm import CHART

pytestmark = [pytest.mark.timeout(1800), pytest.mark.exhaustive]

LEAST, SMALL = 2, "100m"
"""Pods at rest, and the CPU that the autoscaler takes for a whole one: two cores have to make it look busy, and a slow
machine must not by what a pod takes at rest (a quarter of this, measured on one)."""
CHOSEN = f"database.existingSecret.name=makima-database,api.resources.requests.cpu={SMALL}"
CALM_SECONDS = 15


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The chart on a node, and what measures its pods."""
    with node_for_a_release("autoscaler-e2e", tmp_path_factory.mktemp("autoscaler")) as found:
        found.prepare()
        calm = f"api.autoscaling.scaleDownStabilizationSeconds={CALM_SECONDS}"
        command = ("install", "makima", str(CHART), "-n", SYSTEM, "--wait", "--timeout=10m")
        found.helm.run(*command, "--set", f"{CHOSEN},{calm}", seconds=660)
        with measuring(found):
            yield found


def autoscaler(release: Release) -> dict[str, Any]:
    status: dict[str, Any] = release.system.get("hpa", "makima-api")["status"]
    return status


def ready(release: Release) -> int:
    return int(release.system.get("deployment", "makima-api")["status"].get("readyReplicas", 0))


def test_pods_come_with_the_load_and_go_after_it_and_nothing_is_lost(
    release: Release, measured: Callable[[str], None]
) -> None:
    release.until("the autoscaler to measure", lambda: autoscaler(release).get("currentMetrics"))
    assert ready(release) == LEAST
    with load(release, "busy", pause_seconds=0) as busy:
        release.until("more pods", lambda: ready(release) > LEAST)
        most = ready(release)
    told = [f"{most} pods at the height; {assert_nothing_lost_or_doubled(release, busy)}"]
    with load(release, "calm", pause_seconds=1) as calm:
        release.until("fewer pods", lambda: autoscaler(release)["desiredReplicas"] == ready(release) == LEAST)
    told.append(f"{LEAST} after it; {assert_nothing_lost_or_doubled(release, calm)}")
    measured("\n".join(told))
