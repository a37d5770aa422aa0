"""What commands write: kept in tests/data/cli, and never anything that steers a terminal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from makima.cli.contracts.command_lines import command_line
from makima.cli.contracts.event_lines import control_line, event_line, is_important
from makima.cli.contracts.rows import compact, headings, row
from makima.cli.contracts.text import Screen, cut, plain, readable, width_of
from makima.client import Place
from makima.domain.reads.tree import tree_of
from makima.domain.reads.tree_lines import lines
from makima.models.contract import Contract
from makima.models.contract_status import CompletedDeliverable, TaskCount
from makima.models.enums import ContractState, SupervisorState, TaskState
from tests.support.builders import (
    a_contract,
    a_question,
    a_supervisor,
    a_task,
    active,
    at,
    failing,
    with_status,
    with_tasks,
)

DATA = Path(__file__).parents[2] / "data" / "cli"
NOW = at(7200)
SCREEN = Screen(color=False)


def assert_kept(name: str, text: str) -> None:
    """As it is in the file. To keep what is written now: delete the file and run the test twice."""
    file = DATA / name
    if not file.exists():
        file.write_text(text, encoding="utf-8")
        pytest.fail(f"{file} was not there; it has what was written now")
    assert text == file.read_text(encoding="utf-8")


def rich() -> Contract:
    contract = with_tasks(active(), a_task(1), a_task(2, TaskState.FAILED, name="lint"))
    question = a_question(7).model_copy(update={"options": ("main", "release")})
    done = CompletedDeliverable(
        phase="plan", id="plan-document", completed_time=at(600), completed_by="dana", uri="https://x.test/p"
    )
    return with_status(
        contract,
        questions=(question,),
        deliverables=(done,),
        task_counts=(TaskCount(phase="plan", completed=3, failed=1),),
        phase_start_time=at(60),
    )


def test_the_tree_of_a_contract() -> None:
    supervisor = a_supervisor(
        SupervisorState.WORKING,
        incarnation=2,
        restarts=1,
        current_activity="reading",
        progress=40,
        last_heartbeat_time=at(7190),
        pod_name="work-2",
        error_message="exit code 1",
    )
    pod = {"spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}
    tree = tree_of(rich(), supervisor, pod, NOW, verbose=True)
    assert_kept("tree.txt", "\n".join(f"{line.lead}[{line.mark}] {line.text}" for line in lines(tree)) + "\n")
    drawn = lines(tree_of(rich(), None, None, NOW), ascii_only=True)
    assert_kept("tree-ascii.txt", "\n".join(f"{line.lead}{line.text}" for line in drawn) + "\n")


FINISHED = {"finished_time": at(60)}
BROKEN = {"failure_reason": "restart budget spent"}


@pytest.mark.parametrize(
    ("state", "changes", "marks"),
    [
        ("Active", {}, "current open"),
        ("Paused", {}, "current open"),
        ("Completing", {"phase": "execute"}, "done done"),
        ("Completed", {"phase": "execute", **FINISHED}, "done done"),
        ("Failed", {**FINISHED, **BROKEN}, "failed open"),
        ("Failed", {"phase": "execute", **FINISHED, **BROKEN}, "done failed"),
        ("Archived", {"phase": "execute", **FINISHED}, "done done"),
        ("Archived", {**FINISHED, **BROKEN}, "failed open"),
        ("Archived", {}, "open open"),
    ],
)
def test_the_marks_of_phases(state: str, changes: dict[str, Any], marks: str) -> None:
    contract = with_status(active(), state=ContractState(state), phase_start_time=at(60), **changes)
    phases = [
        node for node in tree_of(contract, None, None, NOW).children if node.text.split()[0] in ("plan", "execute")
    ]
    assert " ".join(node.mark for node in phases) == marks
    assert ["for" in node.text for node in phases] == [mark == "current" for mark in marks.split()], "it is over"


CONTAINER = {"name": "agent"}
PODS: list[tuple[dict[str, Any], str]] = [
    ({"phase": "Running"}, "[current] pod work-1 Running on n1"),
    ({"phase": "Succeeded"}, "[done] pod work-1 Succeeded on n1"),
    ({"phase": "Failed"}, "[failed] pod work-1 Failed on n1"),
    (
        {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]},
        "[open] pod work-1 Pending on n1",
    ),
    (
        {
            "phase": "Pending",
            "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "no"}}}],
        },
        "[failed] pod work-1 Pending on n1: ErrImagePull (no)",
    ),
    (
        {
            "phase": "Pending",
            "conditions": [
                {"type": "Initialized", "status": "False"},
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"},
            ],
        },
        "[failed] pod work-1 Pending on n1: Unschedulable (0/1 nodes)",
    ),
    (
        {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]},
        "[failed] pod work-1 Failed on n1: OOMKilled, exit code 137",
    ),
]


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize(("told", "line"), PODS)
def test_the_pod_stands_below_its_supervisor_also_before_that_has_registered(
    told: dict[str, Any], line: str, registered: bool
) -> None:
    state = SupervisorState.IDLE if registered else None
    supervisor = a_supervisor(state, incarnation=1, pod_name="work-1")
    drawn = lines(tree_of(active(), supervisor, {"spec": {"nodeName": "n1"}, "status": told}, NOW))
    above, pod = drawn[-2:]
    assert above.text == ("supervisor Idle, life 1" if registered else "supervisor: not registered, life 1")
    assert f"[{pod.mark}] {pod.text}" == line


def test_the_tree_of_a_contract_that_was_not_accepted() -> None:
    assert [line.text for line in lines(tree_of(a_contract(), None, None, NOW))] == [
        "default/work  simple  not accepted"
    ]


def test_the_table_of_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    contracts = [active(), rich(), failing(active(), 5000), a_contract()]
    for wide, name in ((False, "table.txt"), (True, "wide.txt")):
        cells = [row(contract, NOW, wide=wide, several_namespaces=True) for contract in contracts]
        SCREEN.table(headings(wide=wide, several_namespaces=True), cells)
        assert_kept(name, capsys.readouterr().out)
    assert_kept("compact.txt", "\n".join(compact(contract, NOW) for contract in contracts) + "\n")


HEAD = {"at": "2026-01-01T12:00:00+00:00", "namespace": "team", "name": "work", "contract_id": "u", "seq": 1}
FRAMES: list[dict[str, Any]] = [
    {"type": "StatusChanged", "old_status": "active", "new_status": "paused", "reason": "Paused"},
    {"type": "PhaseChanged", "old_phase": "plan", "new_phase": "execute"},
    {"type": "SupervisorStateChanged", "old_state": "idle", "new_state": "failed"},
    {"type": "Heartbeat", "state": "working", "activity": "reading", "progress": 40},
    {"type": "StaleDetected", "last_activity": "2026-01-01T11:00:00+00:00", "stale_duration": 3600.5},
    {"type": "TaskCompleted", "task_id": "t", "task_name": "build", "success": False},
    {"type": "DeliverableCompleted", "phase": "plan", "deliverable_id": "plan-document"},
    {"type": "QuestionAsked", "question_id": "q", "question": "Which\x1b[2J branch?", "question_type": "text"},
    {"type": "ContractDeleted"},
    {"type": "SomethingNew", "message": "later"},
]


def test_every_event_is_a_line() -> None:
    assert_kept("events.txt", "\n".join(event_line({**HEAD, **frame}, SCREEN) for frame in FRAMES) + "\n")


def test_what_quiet_leaves() -> None:
    important = [frame["type"] for frame in FRAMES if is_important(frame)]
    assert "Heartbeat" not in important and "QuestionAsked" in important
    assert "TaskCompleted" in important and not is_important({"type": "TaskCompleted", "success": True})
    assert not is_important({"type": "SupervisorStateChanged", "new_state": "working"})


def test_what_is_said_about_the_stream_itself() -> None:
    assert control_line({"type": "Subscribed", "seq": 1}) is None
    assert "trying again in 0.5 s" in str(control_line({"type": "Reconnecting", "reason": "cut", "seconds": 0.5}))
    gap: dict[str, Any] = {"type": "Missed", "from_seq": 3, "to_seq": 9, "heartbeats": 0, "hint": "be faster"}
    assert "missed events 3 to 9; be faster" in str(control_line(gap))
    assert "missed events 3 to 9 and 4 heartbeats; be" in str(control_line({**gap, "heartbeats": 4}))
    only = {**gap, "from_seq": None, "to_seq": None, "heartbeats": 4}
    assert "missed 4 heartbeats; be faster" in str(control_line(only))


def answer(text: str) -> str:
    return command_line(("contracts", "answer", text), "makima contracts", Place())


@given(st.text(max_size=60))
def test_nothing_that_others_wrote_steers_the_terminal(text: str) -> None:
    for written in (plain(text), readable(text), answer(text)):
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in written)


def test_a_log_keeps_its_colours_and_nothing_else() -> None:
    assert readable("\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J") == "\x1b[31mred\x1b[0m ]0;title  [2J"


def test_columns_stand_below_each_other_whatever_is_written_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(color=False).table(("A", "B"), (("どの枝？", "x"), ("e\u0301", "y"), ("long enough", "z")))
    lines = capsys.readouterr().out.splitlines()
    assert [cell_len(line[: line.rindex(line[-1])]) for line in lines] == [14, 14, 14, 14]


@given(st.text(max_size=80), st.integers(2, 60))
def test_what_is_cut_has_its_width_at_most(text: str, width: int) -> None:
    found = cut(text, width)
    assert width_of(found) <= width
    assert found == text or found.endswith("…")


def test_colours_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert Screen().colored
    assert not Screen(color=False).colored
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen().colored
    assert isinstance(NOW, datetime)
