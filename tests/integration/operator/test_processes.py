"""The operator as processes: two with one Lease, a restart, kopf's own runner, a cluster that is not prepared."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from makima.sandbox import Sandbox, start
from makima.schema import SCHEMA_VERSION, SCHEMA_VERSION_ANNOTATION
from makima.wiring import install
from tests.support.driven import Driven, phase
from tests.support.operator_process import OPERATOR_USER, OperatorUnderTest, StartOperator
from tests.support.own_process import MAKIMA_GROUPS

pytestmark = pytest.mark.xdist_group("processes")


async def test_of_two_operators_one_leads_and_the_other_takes_over(
    driven: Driven, start_operator: StartOperator
) -> None:
    leader = start_operator(operator__lease_duration_seconds=4).wait_leading()
    standby = start_operator(operator__lease_duration_seconds=4).wait_ready()
    assert "standing by" in standby.log.read_text()
    assert standby.get("health", "/healthz")[0] == 200
    assert "contracts_by_status" in standby.get("metrics", "/metrics")[1]
    await driven.started("handed-over", phase("one", "a"), phase("two", "b"))
    leader.kill()
    await driven.report("handed-over", "one/a")
    await driven.until("handed-over", lambda now: now["phase"] == "two")
    standby.wait_leading()
    assert standby.stop() == 0


async def test_a_restart_writes_nothing(driven: Driven, start_operator: StartOperator) -> None:
    first = start_operator().wait_leading()
    for number in range(20):
        await driven.create(f"still-{number}", phases=[phase("one", "a")])
    for number in range(20):
        await driven.until_state(f"still-{number}", "Created")
    assert first.stop() == 0
    before = await versions(driven)
    second = start_operator().wait_leading()
    await driven.create("the-last", phases=[phase("one", "a")])
    await driven.until_state("the-last", "Created")
    after = await versions(driven)
    del after["the-last"]
    assert after == before
    second.stop()


async def versions(driven: Driven) -> dict[str, str]:
    listed = await driven.admin.connection.request("GET", driven.admin.path("contracts"))
    return {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listed["items"]}


async def test_kopf_run_works_too(
    driven: Driven, installed_cluster: Sandbox, module_database: str, tmp_path: Path
) -> None:
    namespace = driven.admin.namespace
    environment = {
        **os.environ,
        "KUBECONFIG": str(installed_cluster.cluster.kubeconfig_for(OPERATOR_USER, MAKIMA_GROUPS)),
        "MAKIMA_DATABASE_URL": module_database,
        "MAKIMA_OPERATOR__NAMESPACES": f'["{namespace}"]',
        "MAKIMA_OPERATOR__LEASE_NAME": f"kopf-run-{namespace}",
        "MAKIMA_OPERATOR__HEALTH_PORT": "0",
        "MAKIMA_OPERATOR__METRICS_PORT": "0",
    }
    command = [sys.executable, "-m", "kopf", "run", "-m", "makima.handlers", "--namespace", namespace]
    log = tmp_path / "kopf.log"
    with log.open("wb") as out:
        running = await asyncio.to_thread(subprocess.Popen, command, env=environment, stdout=out, stderr=out)
    try:
        await driven.create("by-kopf", phases=[phase("one")])
        await driven.register("by-kopf")
        await driven.until_state("by-kopf", "Completed")
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=20)
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Path]:
    """A kubeconfig of a cluster of this module's own, without makima's CRDs."""
    own = start(f"bare-{os.getpid()}", ends_with=os.getpid())
    yield own.cluster.kubeconfig
    own.stop()


def test_an_operator_on_an_unprepared_cluster_says_what_to_do(
    own_cluster: Path, database_url: str, tmp_path: Path
) -> None:
    operator = OperatorUnderTest(tmp_path / "bare.log", own_cluster, database_url).start()
    assert operator.process is not None
    assert operator.process.wait(timeout=60) == 1
    text = operator.log.read_text()
    assert "makima install" in text
    assert "Traceback" not in text


def test_a_standby_does_not_lead_on_crds_that_went_back_while_it_waited(
    own_cluster: Path, installed_cluster: Sandbox, database_url: str, tmp_path: Path
) -> None:
    asyncio.run(install(own_cluster))  # after the test above, which is about a cluster without
    common = {"operator__lease_duration_seconds": 3}
    logs = [tmp_path / "leader.log", tmp_path / "standby.log"]
    leader, standby = (OperatorUnderTest(log, own_cluster, database_url, **common) for log in logs)
    try:
        leader.start().wait_leading()
        standby.start().wait_ready()
        annotation = f"{SCHEMA_VERSION_ANNOTATION}={SCHEMA_VERSION - 1}"
        kubectl = [str(installed_cluster.cluster.programs / "kubectl"), f"--kubeconfig={own_cluster}"]
        subprocess.run([*kubectl, "annotate", "--overwrite", "crd/contracts.makima.dev", annotation], check=True)
        leader.kill()
        assert standby.process is not None
        assert standby.process.wait(timeout=60) == 1
        assert f"needs edition {SCHEMA_VERSION}: CustomResourceDefinition contracts" in standby.log.read_text()
    finally:
        leader.stop()
        standby.stop()


def test_an_operator_without_a_database_says_what_to_do(installed_cluster: Sandbox, tmp_path: Path) -> None:
    environment = {**os.environ, "KUBECONFIG": str(installed_cluster.cluster.kubeconfig)}
    command = [sys.executable, "-m", "makima", "operator"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "MAKIMA_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_operator_with_an_empty_database_waits_and_says_what_to_do(
    installed_cluster: Sandbox, empty_database_url: str, tmp_path: Path
) -> None:
    kubeconfig = installed_cluster.cluster.kubeconfig_for(OPERATOR_USER, MAKIMA_GROUPS)
    operator = OperatorUnderTest(tmp_path / "empty.log", kubeconfig, empty_database_url).start()
    deadline = time.monotonic() + 60
    while "makima migrate up" not in operator.log.read_text():
        assert time.monotonic() < deadline, operator.log.read_text()
        time.sleep(0.1)
    operator.stop()
