"""One holder at a time, and what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from makima.errors import MakimaError
from makima.supervisor.wrapper.locks import Held, LockedFile, state_folder


def test_a_second_writer_of_a_conversation_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first = LockedFile(tmp_path, "conversation", "codex abc", "the conversation abc")
    first.note(contract="here/work")
    with pytest.raises(Held, match=r"the conversation abc belongs to process \d+"):
        LockedFile(tmp_path, "conversation", "codex abc", "the conversation abc")
    LockedFile(tmp_path, "conversation", "codex other", "another").release()
    first.release()
    second = LockedFile(tmp_path, "conversation", "codex abc", "the conversation abc")
    assert second.noted()["contract"] == "here/work"
    second.release()


def test_a_note_that_was_cut_off_is_none(tmp_path: Path) -> None:
    lock = LockedFile(tmp_path, "contract", "x", "x")
    next(tmp_path.iterdir()).write_text('{"pid": 1')
    assert lock.noted() == {}
    lock.release()


def test_locks_are_kept_where_the_environment_says(tmp_path: Path) -> None:
    assert state_folder({"MAKIMA_STATE_DIR": str(tmp_path / "a")}) == tmp_path / "a"
    assert state_folder({"XDG_STATE_HOME": str(tmp_path / "b")}) == tmp_path / "b" / "makima"
    assert state_folder({"HOME": str(tmp_path / "c")}) == tmp_path / "c" / ".local" / "state" / "makima"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MakimaError, match="no folder to keep locks in"):
        state_folder({"MAKIMA_STATE_DIR": str(tmp_path / "file" / "x")})
