"""The demo's work is done from a git history, or from the one that the example carries, and says which."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "release-notes" / "documents.py"


@pytest.fixture(scope="module")
def documents() -> ModuleType:
    """The example's module, which is part of no package."""
    spec = importlib.util.spec_from_file_location("documents_of_the_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_without_git_the_history_that_the_example_carries_is_read_and_said(
    documents: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    commits = documents.read_history(tmp_path)
    assert (len(commits), commits[0].sha, commits[0].area) == (40, "e8fe840", "operator")
    assert "there is no git on this machine: the history in history.txt" in capsys.readouterr().out


def test_without_a_repository_what_git_says_is_said(
    documents: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\necho 'fatal: not a git repository' >&2\nexit 128\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert len(documents.read_history(tmp_path)) == 40
    assert "fatal: not a git repository: the history in history.txt" in capsys.readouterr().out


def test_every_phase_has_its_document_from_the_history_that_is_carried(documents: ModuleType) -> None:
    commits = documents.parse_log(documents.CARRIED.read_text())
    before = {"order": "newest first"}
    for document in documents.DOCUMENTS.values():
        before[document.deliverable] = document.write(commits, before)
    assert all(before["release-notes"].count(f"({commit.sha})") == 1 for commit in commits)
