"""The supervisor is killed while a person is asked: noticed, started again, restored, and the question is still one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from narration import DemoError, plain, step, wait
from people import CONTRACT, Person
from processes import Background

ANSWER = "newest first"
ALIVE = '{.status.conditions[?(@.type=="Alive")].message}'


def kill_in_the_middle(dana: Person, supervisor: Background) -> dict[str, Any]:
    """Wait for its question, kill it, and wait until that is noticed; gives the question."""
    step("In the middle of the next phase it asks: the contract waits for a person")
    wait("the question", lambda: dana.status().get("questions") and _state(dana) == "WaitingForUser")
    dana.kubectl("get", "contracts")
    (question,) = _show_questions(dana)
    _show_log(supervisor)
    step(f"kill -9 {supervisor.pid}: the supervisor is gone, and could neither save nor say anything")
    supervisor.kill()
    seconds = wait("the operator to notice", lambda: _state(dana) == "Interrupted")
    plain(f"noticed by the operator {seconds:.1f} s after the kill (heartbeatTimeoutSeconds is 4)")
    dana.kubectl("get", "supervisors")
    dana.kubectl("get", "supervisor", CONTRACT, "-o", f"jsonpath={ALIVE}")
    return dict(question)


def come_back(dana: Person, start: Callable[[], Background], question: dict[str, Any]) -> Background:
    """Start it again; it is restored, and its question is asked again without being there twice."""
    step("It is started again, as systemd or a kubelet would: life 2 is restored by makima")
    supervisor = start()
    wait("life 2 to be restored", lambda: dana.status("supervisor").get("incarnation") == 2 and _restored(dana))
    wait("its question to be asked again", lambda: any(question["id"] in line for line in supervisor.lines))
    wait("life 2 to wait for the person", lambda: _state(dana) == "WaitingForUser")
    _show_log(supervisor)
    dana.kubectl("get", "supervisor", CONTRACT, "-o", "jsonpath={.status.restoration}")
    step("The question is asked again, under its own id: for people it is open once")
    if [each["id"] for each in _show_questions(dana)] != [question["id"]]:
        raise DemoError("the question is not open exactly once")
    return supervisor


def answer(person: Person, supervisor: Background, question: dict[str, Any]) -> None:
    """Answer it, and wait until the supervisor has it."""
    step(f"{person.name.capitalize()} answers; the answer reaches the supervisor")
    before = len(supervisor.lines)
    if person.contracts("answer", CONTRACT, ANSWER, "--question", question["id"]).returncode:
        raise DemoError("the answer was not taken")
    seconds = wait("the answer to arrive", lambda: any(ANSWER in line for line in supervisor.lines[before:]))
    wait("no question to be open", lambda: not person.status().get("questions"))
    plain(f"received {seconds:.1f} s after the command returned; no question is open any more")


def _show_questions(dana: Person) -> list[dict[str, Any]]:
    done = dana.kubectl("get", "contract", CONTRACT, "-o", "jsonpath={.status.questions}")
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found


def _show_log(supervisor: Background) -> None:
    plain(f"what {supervisor.log.name} says:")
    for line in supervisor.lines:
        plain(f"  {line}")


def _state(dana: Person) -> str:
    return str(dana.status("supervisor").get("state"))


def _restored(dana: Person) -> bool:
    conditions = dana.status("supervisor").get("conditions", [])
    return any(each["type"] == "Restored" and each["status"] == "True" for each in conditions)
