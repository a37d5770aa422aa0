"""A sandbox that somebody else takes away while it is looked at is one that is not there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from makima.sandbox import attach, recorded
from makima.sandbox.folders import sandbox_folder
from makima.sandbox.sandbox import Sandbox
from makima.sandbox.state import write_state

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


def test_one_that_goes_meanwhile_is_not_there_and_stays_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = recorded.from_state

    def gone(name: str, where: Path, state: dict[str, Any]) -> Sandbox:
        shutil.rmtree(where)
        return described(name, where, state)

    monkeypatch.setattr(recorded, "from_state", gone)
    assert attach("looked-at") is None
    assert not folder.exists()
