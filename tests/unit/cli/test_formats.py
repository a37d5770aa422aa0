"""`-o table|wide|json|yaml|compact|name` of every command that says what is, or what was done."""

from __future__ import annotations

import json

import click
import pytest
import yaml

from makima.cli.contracts import COMMANDS, group
from makima.cli.contracts.formats import FORMATS
from makima.cli.contracts.persona import KUBECTL
from makima.models.contract_status import SupervisorReference
from makima.models.enums import ContractState
from tests.support.builders import SUPERVISOR_UID, a_question, active, failing, with_questions, with_status
from tests.support.played_people import PlayedApi, PlayedPeople, named

EVENTS = (
    {
        "seq": 3,
        "version": 2,
        "type": "PhaseChanged",
        "at": "2026-01-01T12:00:00Z",
        "payload": {"old_phase": "plan", "new_phase": "x"},
    },
    {"seq": 5, "version": None, "type": "TaskCompleted", "at": "2026-01-01T12:01:00Z", "payload": {"task_name": "x"}},
)
CARRIER = SupervisorReference(name="work", uid=SUPERVISOR_UID, incarnation=2)

RUNS = {
    "list": ("list", 4),
    "show": ("show work", 1),
    "inbox": ("inbox", 3),
    "health": ("health", 4),
    "create": ("create new --dry-run", 1),
    "answer": ("answer asks yes --dry-run", 1),
    "confirm": ("confirm work --dry-run", 1),
    "advance": ("advance work --dry-run", 1),
    "complete-deliverable": ("complete-deliverable work plan-document --dry-run", 1),
    "pause": ("pause work --dry-run", 1),
    "resume": ("resume paused --dry-run", 1),
    "retry": ("retry failed --dry-run", 1),
    "restart-supervisor": ("restart-supervisor work --dry-run", 1),
    "history": ("history work", 2),
    "cleanup": ("cleanup --archive --dry-run", 1),
    "batch": ("batch pause_all --dry-run", 1),
}
"""Command → how it is called here, and of how many things it tells."""

OTHERS = {"monitor": ("tui", "text", "json"), "export": ("json", "yaml"), "logs": None}
"""A stream, a document, and somebody else's lines."""


def people() -> PlayedPeople:
    return PlayedPeople(
        named(with_status(active(), supervisor_ref=CARRIER), "work"),
        named(with_status(active(), state=ContractState.PAUSED), "paused"),
        named(failing(active(), 60), "failed"),
        named(with_questions(active(), a_question(1)), "asks"),
        api=PlayedApi(*EVENTS),
    )


def formats_of(command: str) -> tuple[str, ...] | None:
    whole = group(KUBECTL)
    with click.Context(whole) as parent:
        found = whole.get_command(parent, command)
    assert found is not None
    option = next((param for param in found.params if "-o" in param.opts), None)
    return tuple(option.type.choices) if option is not None and isinstance(option.type, click.Choice) else None


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_every_format(command: str) -> None:
    if command in OTHERS:
        assert formats_of(command) == OTHERS[command]
    else:
        assert set(FORMATS) <= set(formats_of(command) or ()), command


@pytest.mark.parametrize("program", ["makima contracts", "kubectl contracts"])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("command", RUNS)
def test_each_format_says_it_in_its_way(command: str, form: str, program: str) -> None:
    words, things = RUNS[command]
    done = people().paste(f"{program} {words} -o {form}")
    assert done.code in {0, 7} and "Traceback" not in done.err, done.err
    lines = done.out.splitlines()
    match form:
        case "json":
            assert json.loads(done.out)
        case "yaml":
            assert yaml.safe_load(done.out)
        case "name":
            assert len(lines) == things and not any(" " in line for line in lines), done.out
        case "compact":
            assert len(lines) == things and all(lines), done.out
        case _:
            assert len(lines) >= things, done.out


@pytest.mark.parametrize("command", RUNS)
def test_wide_says_at_least_as_much_as_what_comes_without_it(command: str) -> None:
    words, _ = RUNS[command]
    plain, table, wide = (
        people().paste(f"kubectl contracts {words} {more}").out for more in ("", "-o table", "-o wide")
    )
    assert plain == table
    assert len(wide) >= len(table) > 0


ACTING = ("create", "answer", "confirm", "advance", "pause", "show")


@pytest.mark.parametrize("command", ACTING)
def test_one_contract_is_for_programs_the_object_that_kubectl_takes(command: str) -> None:
    words, _ = RUNS[command]
    name = {"create": "new", "answer": "asks"}.get(command, "work")
    for form, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        body = read(people().paste(f"makima contracts {words} -o {form}").ok().out)
        head = (body["apiVersion"], body["kind"], body["metadata"]["name"])
        assert head == ("makima.dev/v1alpha1", "Contract", name)
    assert people().paste(f"makima contracts {words} -o name").ok().out == f"default/{name}\n"


def test_the_inbox_in_each_format() -> None:
    there = people()
    there.cluster.bodies["asks"]["status"]["questions"][0]["question"] = long = "Which branch? " + "so " * 50 + "or so?"
    written = {form: there.paste(f"makima contracts inbox -o {form}").ok().out for form in FORMATS}
    assert long not in written["table"] and "…" in written["table"]
    assert long in written["wide"]
    assert {item["kind"]: item["command"] for item in yaml.safe_load(written["yaml"])} == {
        "resume": "makima contracts resume default/paused",
        "retry": "makima contracts retry default/failed",
        "answer": "makima contracts answer default/asks 'YOUR ANSWER'",
    }
    assert written["name"].split() == ["default/asks", "default/paused", "default/failed"]
    assert [line.split(":")[0].split()[1:] for line in written["compact"].splitlines()] == [
        ["default/asks", "answer"],
        ["default/paused", "resume"],
        ["default/failed", "retry"],
    ]


def test_data_is_the_same_as_json_and_as_yaml() -> None:
    for words, _ in RUNS.values():
        as_json, as_yaml = (people().paste(f"kubectl contracts {words} -o {form}").out for form in ("json", "yaml"))
        assert json.loads(as_json) == json.loads(json.dumps(yaml.safe_load(as_yaml), default=str)), words
