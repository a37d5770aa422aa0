"""What Tab offers: names of the cluster that kubectl told, or makima's own client, and files where a file is meant."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.shell_completion import CompletionItem, ShellComplete

from makima.cli.contracts import COMMANDS, cluster_words
from makima.cli.kubectl import completions
from makima.cli.main import COMMANDS as PROGRAMS
from makima.cli.main import cli
from makima.errors import ClusterUnavailable, NotFound

QUESTIONS = [{"id": "q-1", "question": "Which\x1b[2J branch?\nmain " + "or " * 40}, {"id": "r-2", "question": "How?"}]
PHASES = [
    {"name": "plan", "deliverables": [{"id": "plan-document"}]},
    {"name": "build", "deliverables": [{"id": "image"}, {"id": "report"}]},
]
PAY = {
    "metadata": {"namespace": "team-a", "name": "pay"},
    "status": {"questions": QUESTIONS, "phases": PHASES},
}
CONTRACTS = [("team-a", "pay"), ("team-a", "web"), ("team-b", "pay")]

KUBECTL = """#!{python}
import json, sys
words, world = sys.argv[1:], json.load(open({world!r}))
with open({log!r}, "a") as log:
    log.write(json.dumps(words) + "\\n")
place = next((word.partition("=")[2] for word in words if word.startswith("--namespace=")), "team-a")
if "config" in words:
    print(*world["contexts"], sep="\\n")
elif "json" in words:
    named = [place, words[words.index("get") + 2]]
    found = [item for item in world["bodies"] if list(item["metadata"].values()) == named]
    sys.exit(print(json.dumps(found[0])) if found else 1)
elif "namespaces" in words:
    print("/team-a", "/team-b", sep="\\n")
elif "contracttypes.makima.dev" in words:
    print(f"{{place}}/survey")
else:
    print(*(f"{{space}}/{{name}}" for space, name in world["contracts"] if "-A" in words or space == place), sep="\\n")
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A kubectl that knows two namespaces, and writes down what it is asked."""
    world, log, program = (tmp_path / name for name in ("world.json", "asked", "kubectl"))
    world.write_text(json.dumps({"contexts": ["prod", "test"], "contracts": CONTRACTS, "bodies": [PAY]}))
    program.write_text(KUBECTL.format(python=sys.executable, world=str(world), log=str(log)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(cluster_words, "SECONDS", 30.0)
    return log


CASES: dict[tuple[str, ...], list[str]] = {
    ("show", ""): ["pay", "web"],
    ("show", "-n", "team-b", ""): ["pay"],
    ("show", "team-b/"): ["team-b/pay"],
    ("show", "team-b:p"): ["team-b:pay"],
    ("health", "-A", ""): ["team-a/pay", "team-a/web", "team-b/pay"],
    ("health", "-A", "team-b/"): ["team-b/pay"],
    ("list", "-n", "team-"): ["team-a", "team-b"],
    ("list", "--context", "p"): ["prod"],
    ("list", "--type", "s"): ["simple", "specification", "survey"],
    ("create", "--type", "su"): ["survey"],
    ("list", "--status", "active,pa"): ["active,paused"],
    ("advance", "pay", "--phase", ""): ["Completed", "build", "plan"],
    ("advance", "team-a:pay", "--phase", "b"): ["build"],
    ("complete-deliverable", "pay", ""): ["image", "plan-document", "report"],
    ("complete-deliverable", "--phase", "build", "pay", ""): ["image", "report"],
    ("complete-deliverable", "pay", "image", "--phase", ""): ["build", "plan"],
    ("answer", "none", "--question", ""): [],
    ("show", "--kubeconfig", "/nowhere", "w"): ["web"],
}


@pytest.mark.parametrize(("words", "offered"), CASES.items(), ids=" ".join)
def test_names_from_the_cluster(asked: Path, words: tuple[str, ...], offered: list[str]) -> None:
    assert completions([*words]) == [*offered, ":4"]


def test_kubectl_is_asked_where_the_command_line_says(asked: Path) -> None:
    completions(["show", "--kubeconfig", "/k", "--context", "c", "-n", "team-b", ""])
    (words,) = map(json.loads, asked.read_text().splitlines())
    assert {"--kubeconfig=/k", "--context=c", "--namespace=team-b"} <= set(words)


def test_a_question_comes_with_what_it_asks_in_one_line_that_steers_no_terminal(asked: Path) -> None:
    first, second, directive = completions(["answer", "pay", "--question", ""])
    assert first.startswith("q-1\tWhich [2J branch? main or or") and first.endswith("…")
    assert (second, directive) == ("r-2\tHow?", ":4")


@pytest.mark.parametrize(
    ("words", "directive"),
    [
        (("list", "--kubeconfig", "/tm"), ":0"),
        (("create", "-f", ""), ":0"),
        (("complete-deliverable", "x", "y", "--digest-of", "./"), ":0"),
        (("export", "x", "--file", ""), ":0"),
        (("export", "x", "-o", "j"), ":4"),
    ],
    ids=str,
)
def test_files_are_left_to_the_shell(words: tuple[str, ...], directive: str) -> None:
    *names, last = completions([*words])
    assert last == directive
    assert names == (["json"] if directive == ":4" else [])


class Cluster:
    """What a client would find."""

    def __init__(self, *, away: bool) -> None:
        self.away = away

    async def namespaces(self) -> list[str]:
        return ["team-a", "team-b"]

    async def page(self, plural: str, namespace: str | None) -> dict[str, Any]:
        if self.away:
            raise ClusterUnavailable("nobody answers")
        found = CONTRACTS if plural == "contracts" else []
        pairs = [pair for pair in found if namespace in (None, pair[0])]
        return {"items": [{"metadata": {"namespace": space, "name": name}} for space, name in pairs]}

    async def get(self, plural: str, namespace: str, name: str) -> dict[str, Any]:
        if (namespace, name) != ("team-a", "pay"):
            raise NotFound("none")
        return PAY


@pytest.mark.parametrize("away", [False, True])
def test_without_kubectl_makimas_own_client_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, away: bool
) -> None:
    @asynccontextmanager
    async def connect(place: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=Cluster(away=away), namespace=place.namespace or "team-a")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("makima.client.connect", connect)
    for words in (("show", ""), ("show", "team-b/"), ("health", "-A", "")):
        assert completions([*words]) == [*([] if away else CASES[words]), ":4"]
    for words in (("list", "-n", "team-"), ("advance", "pay", "--phase", ""), ("complete-deliverable", "pay", "")):
        assert completions([*words]) == [*CASES[words], ":4"]
    assert completions(["answer", "other", "--question", ""]) == [":4"]
    assert completions(["list", "--context", ""]) == [":4"]


def offered(*words: str) -> list[CompletionItem]:
    """What the shells' own completion of `makima` has."""
    return ShellComplete(cli, {}, "makima", "_MAKIMA_COMPLETE").get_completions([*words[:-1]], words[-1])


def test_commands_are_offered_with_their_lines() -> None:
    assert [(item.value, item.help) for item in offered("")] == [(name, line) for name, (_, line) in PROGRAMS.items()]
    found = {item.value: item.help for item in offered("contracts", "")}
    assert found == {name: line for name, (_, line) in COMMANDS.items()}
    assert [item.value for item in offered("contracts", "re")] == ["resume", "retry", "restart-supervisor"]
    assert "--help" in [item.value for item in offered("contracts", "--")]


def test_offering_commands_loads_none_of_them() -> None:
    code = (
        "import sys; from click.shell_completion import ShellComplete; from makima.cli.main import cli;"
        "ShellComplete(cli, {}, 'makima', 'X').get_completions([], '');"
        "ShellComplete(cli, {}, 'makima', 'X').get_completions(['contracts'], '');"
        "print([name for name in sys.modules if name in ('typer', 'kopf', 'makima.cli.contracts.show')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("program", ["operator", "supervise", "mcp", "api", "migrate", "install", "doctor", "sandbox"])
def test_there_is_one_way_to_install_completion(program: str) -> None:
    """Typer's own would be a second one, of another program's name."""
    assert not [item.value for item in offered(program, "--") if "completion" in item.value]
