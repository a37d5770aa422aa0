"""A sandbox that somebody else takes away while it is looked at is one that is not there."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from makima.sandbox import attach, control_plane, local_cluster, recorded, state
from makima.sandbox.folders import sandbox_folder
from makima.sandbox.state import forget, read_state, write_state

STATE = {
    "created": "2026-01-01T12:00:00+00:00",
    "cluster": {"programs": "/nowhere", "etcd": 1, "etcd_peer": 2, "api": 3},
    "database": {"own": True, "url": "postgresql://127.0.0.1:1/none"},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    found = sandbox_folder("looked-at")
    found.mkdir(parents=True)
    write_state(found, STATE)
    return found


def test_what_is_written_down_is_found(folder: Path) -> None:
    found = attach("looked-at")
    assert found is not None
    assert (found.cluster.server_url, found.running) == ("https://127.0.0.1:3", False)


@pytest.mark.parametrize(
    ("where", "what"),
    [
        pytest.param(recorded, "from_state", id="before its authority is looked for"),
        pytest.param(local_cluster, "etcd", id="after its authority"),
        pytest.param(control_plane, "write_signing_key", id="after its certificates"),
        pytest.param(local_cluster, "write_kubeconfig", id="after all"),
    ],
)
def test_one_that_goes_meanwhile_is_not_there_and_stays_away(
    where: ModuleType, what: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = getattr(where, what)

    def gone(*given: Any) -> Any:
        forget(folder)
        return goes_on(*given)

    monkeypatch.setattr(where, what, gone)
    assert attach("looked-at") is None
    assert not folder.exists()


def test_of_one_that_is_taken_away_the_state_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or who looks at it meanwhile would miss a file of a sandbox that is said to be there."""
    seen: list[object] = []
    monkeypatch.setattr(state.shutil, "rmtree", lambda *given, **more: seen.append(read_state(folder)))
    forget(folder)
    assert seen == [None]
