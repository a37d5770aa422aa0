"""SQL blocks are named once and used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from makima.adapters.postgres import sql
from makima.adapters.postgres.failures import describe

ADAPTER = Path(sql.__file__).parent
FILES = sorted(path.stem for path in sql.FOLDER.glob("*.sql"))


@pytest.mark.parametrize("file", FILES)
def test_every_block_is_used(file: str) -> None:
    used = {name for path in ADAPTER.glob("*.py") for name in re.findall(r'\["(\w+)"\]', path.read_text())}
    assert set(sql.load(file)) <= used


def test_two_blocks_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twice.sql").write_text("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n")
    monkeypatch.setattr(sql, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="two blocks named a"):
        sql.load.__wrapped__("twice")


def test_a_part_stands_in_every_block_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "-- part: columns\nid, at\n\n-- name: a\nSELECT {columns} FROM a;\n-- name: b\nSELECT {columns} FROM b;\n"
    (tmp_path / "parts.sql").write_text(text)
    monkeypatch.setattr(sql, "FOLDER", tmp_path)
    assert sql.load.__wrapped__("parts") == {"a": b"SELECT id, at FROM a", "b": b"SELECT id, at FROM b"}


def test_a_part_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none.sql").write_text("-- name: a\nSELECT {columns} FROM a;\n")
    monkeypatch.setattr(sql, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"none.sql uses \{columns\}"):
        sql.load.__wrapped__("none")


def test_a_database_error_never_shows_the_password() -> None:
    shown = describe(ValueError('missing "=" after "mysql://bob:s3cret@db/x" in connection info string'))
    assert "s3cret" not in shown
    assert "mysql://***@db/x" in shown
