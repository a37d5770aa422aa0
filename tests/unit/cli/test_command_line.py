"""The root of the command line: help that is fast, errors that say what to do, no trace for a person."""

from __future__ import annotations

import subprocess
import sys

import pytest

from makima.cli import main
from makima.errors import MakimaError


def test_help_names_every_command_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    code = "import sys; from makima.cli.main import run; run(['--help']); print('kopf' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    for command in main.COMMANDS:
        assert command in done.stdout
    assert done.stdout.strip().endswith("False")


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([command, "--help"]) == 0
    assert command in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("makima 0.")


def test_an_unknown_command_is_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["frobnicate"]) == 2
    assert "frobnicate" in capsys.readouterr().err


def test_an_error_is_a_line_with_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MakimaError("it broke", "mend it")

    monkeypatch.setattr(main.cli, "main", fail)
    assert main.run(["operator"]) == 1
    assert capsys.readouterr().err == "error: it broke\n  next: mend it\n"


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main.cli, "main", interrupt)
    assert main.run(["operator"]) == 130
