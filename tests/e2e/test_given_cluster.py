"""`make e2e KUBECONFIG=…`: the same tests in a cluster that somebody brings, which is left as it was."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.release import ROOT, Release, node_for_a_release

pytestmark = [pytest.mark.timeout(1200), pytest.mark.exhaustive]

KINDS = "crd,clusterrole,clusterrolebinding,validatingadmissionpolicy,namespace,apiservice"
SOME = "readme_says or runbook_goes or where_the_node_runs_it or load_names"
"""The first of the chart's tests, one of them that needs more than a cluster, and one of a node."""


@pytest.fixture(scope="module")
def somebodys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """A cluster: nothing of makima is in it, and its node has the image."""
    with node_for_a_release("given-e2e", tmp_path_factory.mktemp("given")) as found:
        yield found


def make(somebodys: Release, **given: str) -> tuple[int, str]:
    """What `make e2e` says."""
    programs = f"{somebodys.sandbox.cluster.programs}{os.pathsep}{os.environ['PATH']}"
    variables = [f"{name}={value}" for name, value in given.items()]
    tests = f"tests/e2e/test_helm_in_cluster.py tests/e2e/test_node_life.py -k '{SOME}' -rs -p no:cacheprovider"
    done = subprocess.run(
        ["make", "e2e", f"TESTS={tests}", *variables],
        cwd=ROOT,
        env={**os.environ, "PATH": programs},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_what_can_run_there_runs_the_rest_says_why_not_and_nothing_is_left(somebodys: Release) -> None:
    before = set(somebodys.system.run("get", KINDS, "-o", "name").split())
    kubeconfig = str(somebodys.admin_file)
    code, said = make(somebodys, KUBECONFIG=kubeconfig, IMAGE=somebodys.image, DATABASE_URL=somebodys.database)
    assert code == 0, said[-6000:]
    assert re.search(r"\b2 passed\b", said), said[-3000:]
    assert "needs the sandbox's own node" in said
    assert "this run is for the cluster of KUBECONFIG" in said
    assert set(somebodys.system.run("get", KINDS, "-o", "name").split()) == before


def test_a_cluster_alone_is_not_enough_and_what_is_missing_is_said(somebodys: Release) -> None:
    code, said = make(somebodys, KUBECONFIG=str(somebodys.admin_file))
    assert code != 0
    assert "`make e2e` needs IMAGE and DATABASE_URL too" in said
