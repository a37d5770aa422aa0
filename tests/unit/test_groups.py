"""Tests of a group run in one worker: several share a port, an APIService or a node."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("groups")
def test_workers_know_the_groups_of_tests(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("there is one process only")
    assert request.node.nodeid.endswith("@groups")
