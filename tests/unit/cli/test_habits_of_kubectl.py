"""Options that fingers know from kubectl: they mean the same, or it is said what does it here."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from makima.cli.contracts import COMMANDS
from makima.client import Place
from tests.support.builders import UID, active, an_id
from tests.support.played_people import PlayedPeople, named

PROGRAMS = ("makima contracts", "kubectl contracts")
MANY = ("list", "inbox", "health", "cleanup --all --dry-run", "monitor --format json --timeout 1s")
"""Commands about many contracts."""

ONE = {
    "show": "show x",
    "create": "create x",
    "answer": "answer x yes",
    "confirm": "confirm x",
    "advance": "advance x",
    "complete-deliverable": "complete-deliverable x plan-document",
    "pause": "pause x",
    "resume": "resume x",
    "retry": "retry x",
    "restart-supervisor": "restart-supervisor x",
    "logs": "logs x",
    "history": "history x",
    "export": "export x",
}
"""Commands about one."""


def test_every_command_is_of_one_contract_or_of_many() -> None:
    assert {*(words.split()[0] for words in MANY), *ONE, "batch"} == set(COMMANDS)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("words", MANY[:-1])
def test_labels_choose_wherever_many_are_looked_at(program: str, words: str) -> None:
    there = PlayedPeople(named(active(), "work"))
    for option in ("-l a=b", "--selector a=b"):
        there.paste(f"{program} {words} {option} -A")
        assert "a=b" in there.cluster.selectors
        there.cluster.selectors.clear()


@pytest.mark.parametrize("more", ["-A", "-A --namespace team", "--all-namespaces", ""])
def test_the_inbox_is_of_all_namespaces_also_where_that_is_said(more: str) -> None:
    there = PlayedPeople(named(active(), "work"))
    assert there.paste(f"makima contracts inbox {more}").code == 0
    assert set(there.cluster.looked_in) == {("contracts", None)}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("option", ["-A", "--all-namespaces", "-l a=b", "--selector a=b"])
@pytest.mark.parametrize("words", ONE.values())
def test_a_command_about_one_contract_says_how_to_find_it(words: str, option: str, program: str) -> None:
    there = PlayedPeople()
    done = there.paste(f"{program} {words} {option}")
    assert (done.code, there.places) == (2, [])
    said, short = " ".join(done.err.split()), option.replace("--all-namespaces", "-A").replace("--selector", "-l")
    assert ("--label KEY=VALUE" if words.startswith("create") else f"{program} list {short}") in said


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_bulk_operation_says_what_goes_by_labels(program: str) -> None:
    done = PlayedPeople().paste(f"{program} batch pause_all -l a=b")
    assert done.code == 2 and f"{program} cleanup" in done.err and f"{program} list -l a=b -o name" in done.err


def test_a_stream_is_of_contracts_with_the_labels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    there = PlayedPeople(named(active(), "work"), api=SimpleNamespace(aggregated=False))
    about = {"type": "ContractDeleted", "namespace": "default"}
    frames = [{**about, "contract_id": uid, "name": name} for uid, name in ((an_id(9), "other"), (UID, "work"))]

    async def told(_: Any) -> AsyncGenerator[dict[str, Any], None]:
        for frame in frames:
            yield frame

    monkeypatch.setattr("makima.client.handover.Handover.frames", told)
    words = "makima contracts monitor --format json --timeout 1s"
    assert len(there.paste(words).ok().out.splitlines()) == 2
    chosen = there.paste(f"{words} -l a=b").ok()
    assert [json.loads(line)["name"] for line in chosen.out.splitlines()] == ["work"]
    assert set(there.cluster.selectors) == {"a=b"}


@pytest.mark.parametrize("command", [*ONE.values(), *MANY, "batch pause_all"])
def test_context_kubeconfig_and_namespace_say_where(command: str) -> None:
    there = PlayedPeople()
    there.away = True
    there.paste(f"kubectl contracts {command} -n team --context prod --kubeconfig k")
    assert there.places == [Place(Path("k"), "prod", "team")]
