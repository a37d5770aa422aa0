"""Where the sandbox keeps its Postgres: among what is temporary, or in the folder that is named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from makima.sandbox.postgres import KEPT_IN, create_cluster
from tests.support import memory_folder as here


def test_a_cluster_is_made_in_the_named_folder_else_among_what_is_temporary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ran(command: Any, **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, "", "")

    temporary, named = tmp_path / "temporary", tmp_path / "named"
    for folder in (temporary, named):
        folder.mkdir()
    monkeypatch.setattr(subprocess, "run", ran)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    for value, kept_in in ((str(named), named), ("", temporary)):
        monkeypatch.setenv(KEPT_IN, value)
        assert create_cluster("any").parent == kept_in


@pytest.mark.parametrize(
    ("flags", "free", "taken"),
    [(0, here.ROOM, True), (os.ST_NOEXEC, here.ROOM, False), (0, here.ROOM - 1, False)],
    ids=["all is well", "no programs may run there", "too small"],
)
def test_tests_keep_databases_in_memory_where_that_can_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: int, free: int, taken: bool
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    assert here.memory_folder(tmp_path) == (tmp_path if taken else None)
    assert here.memory_folder(tmp_path / "nowhere") is None
