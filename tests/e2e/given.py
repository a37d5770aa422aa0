"""The cluster of `make e2e KUBECONFIG=… IMAGE=… DATABASE_URL=…`: somebody's own, left as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from makima.sandbox import Own, start
from makima.sandbox.go_build import Progress
from makima.sandbox.helm import HELMS, find_helm
from tests.e2e.release import SYSTEM, WORK, Release
from tests.support.helm import Helm

GIVEN = {name: f"MAKIMA_E2E_{name}" for name in ("KUBECONFIG", "IMAGE", "DATABASE_URL")}
"""What `make e2e` is told, as environment variables: an administrator's file, makima's image as nodes find it, and an
address of Postgres that is good for pods and for this machine."""

CRD = "customresourcedefinition.apiextensions.k8s.io/contracts.makima.dev"
MAKIMAS = {f"namespace/{SYSTEM}", f"namespace/{WORK}", CRD}


def given(name: str) -> str:
    """What `make e2e` was told; empty: nothing, the tests make a node of their own."""
    return os.environ.get(GIVEN[name], "")


@contextmanager
def given_cluster(folder: Path) -> Iterator[Release]:
    """That cluster, as if makima had never been there, before and after."""
    missing = [name for name in GIVEN if not given(name)]
    if missing:
        pytest.fail(f"with KUBECONFIG, `make e2e` needs {' and '.join(missing)} too")
    own = Own(kubeconfig=Path(given("KUBECONFIG")), database_url=given("DATABASE_URL"))
    sandbox = start(f"given-{os.getpid()}", own=own, ends_with=os.getpid())
    try:
        helm = Helm(find_helm(HELMS[0].version, Progress()), folder, sandbox.cluster.kubeconfig)
        found = Release(sandbox, helm, given("DATABASE_URL"), given("IMAGE"))
        there = MAKIMAS & set(found.system.run("get", "crd,namespace", "-o", "name").split())
        if there:
            pytest.fail(f"that cluster has {', '.join(sorted(there))}: these tests want one without makima")
        yield found
        take_away(found)
    finally:
        sandbox.stop()


def take_away(release: Release) -> None:
    """What tests left there, kept CRDs included."""
    release.helm.call("uninstall", "makima", "-n", SYSTEM, "--wait", seconds=300)
    kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy,clusterrole,clusterrolebinding,crd"
    release.system.run("delete", kinds, "-l", "app.kubernetes.io/part-of=makima", "--ignore-not-found", seconds=180)
    release.system.run("delete", "namespace", SYSTEM, WORK, "--ignore-not-found", "--timeout=300s", seconds=330)
