"""Lines of the log: what machines and people find in them, and that nothing logged can break the logging."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import kopf
import pytest
from kopf._core.actions.loggers import ObjectLogger

from makima.adapters.logging_setup import LONGEST_VALUE, QUIET, StderrHandler, configure_logging

log = logging.getLogger("makima.test")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET)


def only_ours(log_format: str, level: str = "INFO") -> None:
    """pytest's own handlers raise where ours must not."""
    logging.getLogger().handlers.clear()
    configure_logging(log_format, level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def test_a_json_line_has_time_level_logger_message_and_the_fields_passed(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "INFO")
    log.info("contract %s: %s", "ns/a", "Created", extra={"uid": "u-1", "version": 3})
    (line,) = lines(capsys)
    at = datetime.fromisoformat(line.pop("ts"))
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert line == {
        "level": "INFO",
        "logger": "makima.test",
        "message": "contract ns/a: Created",
        "uid": "u-1",
        "version": 3,
    }


def test_an_exception_is_text_in_the_same_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "INFO")
    try:
        int("broken")
    except ValueError:
        log.exception("failed")
    (line,) = lines(capsys)
    assert line["exception"].endswith("'broken'")


def test_kopfs_object_reference_becomes_fields(capsys: pytest.CaptureFixture[str]) -> None:
    only_ours("json")
    body = {"kind": "Contract", "metadata": {"name": "a", "namespace": "ns", "uid": "u-1"}}
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    ObjectLogger(body=kopf.Body(body), settings=settings).warning("seen")
    (line,) = lines(capsys)
    assert {key: line[key] for key in ("kind", "namespace", "name", "uid")} == {
        "kind": "Contract",
        "namespace": "ns",
        "name": "a",
        "uid": "u-1",
    }
    assert not {"k8s_ref", "k8s_skip", "settings"} & line.keys()


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_nothing_that_is_logged_breaks_the_log(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    only_ours(log_format)
    circle: list[object] = []
    circle.append(circle)
    extra = {"bad": Unprintable(), "circle": circle, "nan": float("nan"), "bytes": b"\xff", "long": "x" * 10_000}
    log.info("odd \ud800 things", extra=extra)
    log.info("%d", "no number")
    log.info("%s", Unprintable())
    printed = capsys.readouterr().err
    assert "Traceback" not in printed
    assert len(printed.splitlines()) == 3
    assert "<Unprintable>" in printed
    assert "x" * (LONGEST_VALUE + 1) not in printed


def test_a_field_does_not_hide_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "INFO")
    log.info("real", extra={"ts": "yesterday", "level": "none", "logger": "other"})
    (line,) = lines(capsys)
    assert (line["level"], line["logger"]) == ("INFO", "makima.test")


def test_a_text_line_stays_one_line_whatever_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("text", "INFO")
    log.warning("first\nsecond", extra={"contract": "a\x1b[31m"})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("WARNING makima.test: first\\nsecond contract=a\\x1b[31m")


def test_configuring_again_replaces_the_handler_and_leaves_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    foreign = logging.NullHandler()
    root.addHandler(foreign)
    configure_logging("text", "INFO")
    configure_logging("json", "WARNING")
    assert sum(isinstance(handler, StderrHandler) for handler in root.handlers) == 1
    assert foreign in root.handlers
    log.info("not shown")
    log.warning("shown")
    assert [line["message"] for line in lines(capsys)] == ["shown"]


def test_a_handler_that_somebody_else_put_on_stderr_goes_away(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().addHandler(logging.StreamHandler())
    configure_logging("json", "INFO")
    log.info("once")
    assert len(lines(capsys)) == 1


@pytest.mark.parametrize(("level", "shown"), [("INFO", False), ("DEBUG", True)])
def test_libraries_are_quiet_unless_debugging(level: str, shown: bool, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", level)
    for name in ("kopf.objects", "aiohttp.access", "asyncio"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("trouble")
    said = [line["message"] for line in lines(capsys)]
    assert said.count("trouble") == 3
    assert ("chatter" in said) is shown


def test_libraries_are_not_louder_than_asked(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "ERROR")
    logging.getLogger("kopf").warning("trouble")
    assert lines(capsys) == []


def test_auto_is_json_away_from_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("auto", "INFO")
    log.info("hello")
    assert lines(capsys)[0]["message"] == "hello"


def test_auto_is_text_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    configure_logging("auto", "INFO")
    log.info("hello")
    assert capsys.readouterr().err.endswith("INFO    makima.test: hello\n")
