"""Each Helm that the chart has to work with."""

from __future__ import annotations

import pytest

from makima.sandbox.go_build import Progress
from makima.sandbox.helm import HELMS, find_helm
from tests.support.helm import Helm


@pytest.fixture(scope="session", params=[program.version for program in HELMS])
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm 4, then Helm 3, without a cluster."""
    return Helm(find_helm(request.param, Progress()), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def newest_helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm 4, for what does not depend on Helm."""
    return Helm(find_helm(HELMS[0].version, Progress()), tmp_path_factory.mktemp("helm4"))
