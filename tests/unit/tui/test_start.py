"""Where the monitor looks, and which contracts a name on the command line means."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from makima.cli.main import run
from makima.client.finding import Visible
from makima.tui import start
from makima.tui.options import Options
from makima.tui.start import placed
from tests.support.monitor_contracts import uid_of

UID = uid_of("team-a", "pay")


def test_a_bare_name_is_that_of_one_contract_in_the_namespace_of_the_kubeconfig() -> None:
    """Of several namespaces that are looked in, others may have a contract of the same name."""
    wanted = Options(contracts=("web", "team-b:api", "contract/pay", UID))
    found = placed(wanted, Visible(("team-a", "team-b")), "team-a")
    assert found.contracts == ("team-a/web", "team-b/api", "team-a/pay", UID)


@pytest.mark.parametrize(
    ("scope", "place", "note"),
    [
        (Visible(None), "all namespaces", ""),
        (Visible(("team-a",)), "team-a", ""),
        (Visible(("a", "b")), "a, b", ""),
        (Visible(("a", "b", "c"), "you may not list"), "3 namespaces", "you may not list"),
    ],
)
def test_it_says_where_it_looks(scope: Visible, place: str, note: str) -> None:
    found = placed(Options(), scope, "team-a")
    assert (found.place, found.note) == (place, note)


@pytest.mark.parametrize(("words", "value"), [(["--no-color"], "1"), ([], None)])
def test_no_color_makes_greys_of_all_colours(
    words: list[str], value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual reads NO_COLOR; what it does then is looked at in tests/integration/tui."""
    seen: list[str | None] = []

    async def shown(*_: Any) -> None:
        seen.append(os.environ.get("NO_COLOR"))

    monkeypatch.setattr(start, "_run", shown)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.delenv("NO_COLOR")
    assert run(["contracts", "monitor", *words]) == 0
    assert seen == [value]


def test_a_number_of_the_stream_is_no_beginning_of_a_screen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert run(["contracts", "monitor", "--after", "7"]) == 2
    assert "--after is for the streams" in capsys.readouterr().err
