"""Commands that are printed: pasted as they are, they go where the command went that printed them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from makima.cli.contracts.command_lines import command_line, hint_line
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.next_steps import CONTRACT, NEXT, SHOW, NextStep
from makima.client import Place
from makima.models.contract import Contract
from makima.models.enums import ContractState
from tests.support.builders import (
    a_contract,
    a_question,
    a_supervisor,
    accepted,
    active,
    around,
    drive,
    failing,
    reporting,
    with_questions,
    with_status,
)
from tests.support.played_people import PlayedPeople, named

PROGRAMS = ("makima contracts", "kubectl contracts")
OPTIONS = "--context prod --kubeconfig '/home/da na/it'\"'\"'s.yaml' --api https://api.test --token-file /run/token"
PLACE = Place(Path("/home/da na/it's.yaml"), "prod", None, "https://api.test", Path("/run/token"))


def guarded() -> Contract:
    contract, _ = drive(
        reporting(active(phase_guard=True), "plan/plan-document"), around(60, supervisor=a_supervisor())
    )
    return contract


def people() -> PlayedPeople:
    """Something to resume, to take up again, to answer, to confirm, to start; and what nobody has accepted."""
    return PlayedPeople(
        named(with_status(active(), state=ContractState.PAUSED), "paused"),
        named(failing(active(), 60), "failed"),
        named(with_questions(active(), a_question(1)), "asks"),
        named(guarded(), "guarded"),
        named(accepted(), "created"),
        named(a_contract(), "new"),
    )


def commands(text: str, arrow: str = "→ ") -> list[str]:
    """Command lines in what was written."""
    return [line.rpartition(arrow)[2] for line in text.splitlines() if arrow in line]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    "words", ["inbox", "inbox -o compact", "inbox -o wide", "health", "show paused", "show guarded"]
)
def test_a_printed_command_goes_to_the_same_cluster(program: str, words: str) -> None:
    there = people()
    done = there.paste(f"{program} {words} {OPTIONS}")
    assert there.places == [PLACE], done.err
    there.away = True
    pasted = [line for line in commands(done.out) if line.startswith(program)]
    assert pasted or "compact" in words, done.out
    for line in pasted:
        assert there.paste(line).code == Exit.UNAVAILABLE
        assert there.places.pop() == PLACE, line


def test_programs_are_given_the_same_commands() -> None:
    there = people()
    for letter in there.paste(f"kubectl contracts inbox -o json {OPTIONS}").json:
        program, *words = shlex.split(letter["command"])
        carried = ["--context", "prod", "--kubeconfig", "/home/da na/it's.yaml"] if program == "kubectl" else []
        assert all(word in words for word in carried), letter["command"]


LINES: list[tuple[tuple[str, ...], Place, str]] = [
    (("contracts", "resume", "a/b"), Place(), "PROGRAM resume a/b"),
    (("contracts", "resume", "a/b"), Place(context="my prod"), "PROGRAM resume a/b --context 'my prod'"),
    (("contracts", "resume", "a/b"), Place(namespace="a"), "PROGRAM resume a/b"),
    (("contracts", "create", "b"), Place(namespace="a"), "PROGRAM create b --namespace a"),
    (("contracts", "cleanup", "--namespace", "a"), Place(namespace="a"), "PROGRAM cleanup --namespace a"),
    (("contracts", "answer", "a/b", "it's $HOME"), Place(), "PROGRAM answer a/b 'it'\"'\"'s $HOME'"),
    (("kubectl", "-n", "a", "get", "pods"), Place(), "kubectl -n a get pods"),
    (
        ("kubectl", "-n", "a", "get", "pods"),
        Place(Path("k"), "prod", "a", "https://api.test", Path("t")),
        "kubectl --context prod --kubeconfig k -n a get pods",
    ),
    (("makima", "doctor"), Place(Path("k"), "prod", "a"), "makima doctor --context prod --kubeconfig k"),
    (("makima", "migrate", "up"), Place(Path("k"), "prod", "a"), "makima migrate up"),
    (
        ("makima", "supervise", "--contract", "a/b", "--", "COMMAND"),
        Place(Path("k"), "prod", "a", "https://api.test", Path("t")),
        "makima supervise --contract a/b --api https://api.test -- COMMAND",
    ),
]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("words", "place", "line"), LINES)
def test_a_command_line_carries_what_its_program_knows_of_the_place(
    words: tuple[str, ...], place: Place, line: str, program: str
) -> None:
    assert command_line(words, program, place) == line.replace("PROGRAM", program)


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("see: kubectl -n a get pods; it stays", "see: kubectl --context prod -n a get pods; it stays"),
        ("see: makima doctor; it stays", "see: makima doctor --context prod; it stays"),
        ("look: list -A", "look: list -A"),
    ],
)
def test_commands_in_what_to_do_next_are_for_the_same_cluster(hint: str, said: str) -> None:
    assert hint_line(hint, "kubectl contracts", Place(context="prod")) == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (NEXT["CONFLICT"], "somebody changed it, or it is there already: look again (PROGRAM list --context prod)"),
        (NEXT["PHASE_GUARD_REQUIRED"], "look at the deliverables, then: PROGRAM confirm a/b --context prod"),
        (
            NextStep("{}; see {}", (("confirm", CONTRACT, "v1.2"), SHOW)),
            "PROGRAM confirm a/b v1.2 --context prod; see PROGRAM show a/b --context prod",
        ),
    ],
)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_next_step_has_its_commands_for_the_same_cluster(program: str, step: NextStep, said: str) -> None:
    found = step.said("a/b", lambda *words: command_line(words, program, Place(context="prod")))
    assert found == said.replace("PROGRAM", program)


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_to_do_next_names_the_same_cluster(program: str) -> None:
    there = people()
    asked = there.paste(f"{program} confirm created --context prod")
    assert asked.code == Exit.ATTENTION
    assert f"next: {program} confirm default/created --expected-version 1 --context prod" in asked.err
    new = there.paste(f"{program} pause new --context prod --dry-run").ok()
    assert "default/new" in new.out
    refused = there.paste(f"{program} advance new --context prod")
    assert "next: see whether the operator runs: makima doctor --context prod" in refused.err
