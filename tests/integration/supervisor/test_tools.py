"""An agent acts on its contract through makima's MCP server, in the life that its wrapper has registered."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from makima.models.enums import SupervisorState
from tests.support import mcp_agent
from tests.support.api_double import ApiDouble
from tests.support.wrapper_process import StartWrapper, WrapperUnderTest

SECONDS = 120
ASK = ("ask_question", {"question": "Deploy?", "options": ["yes", "no"]})


def agent(*calls: tuple[str, dict[str, Any]]) -> tuple[str, ...]:
    """The program that makes these calls."""
    return (sys.executable, str(Path(mcp_agent.__file__)), json.dumps(calls))


def results(wrapper: WrapperUnderTest) -> list[dict[str, Any]]:
    """What its calls gave, over all of its turns."""
    lines = [json.loads(line) for line in wrapper.printed.splitlines() if line.startswith(("{", "["))]
    return [line for line in lines if isinstance(line, dict)]


async def test_every_tool_does_what_it_says_and_is_repeated_without_harm(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start(
        *agent(
            ("contract_status", {}),
            ("spawn_task", {"name": "build"}),
            ("complete_task", {"task_id": "TASK", "message": "built"}),
            ("spawn_task", {"name": "test"}),
            ("fail_task", {"task_id": "TASK", "message": "red"}),
            ("complete_deliverable", {"deliverable": "plan-document", "phase": "plan", "uri": "memo:1"}),
            ("complete_deliverable", {"deliverable": "plan-document", "phase": "plan", "uri": "memo:1"}),
            ("request_advance", {"to": "execute", "reason": "planned"}),
        )
    )
    assert await wrapper.ended(SECONDS) == 0
    said = results(wrapper)
    status = json.loads(said[0]["text"])
    assert (status["contract"], status["phase"], status["completed"]) == ("here/work", "plan", False)
    assert [(task.name, task.state, task.message) for task in api.tasks.values()] == [
        ("build", "completed", "built"),
        ("test", "failed", "red"),
    ]
    assert api.deliverables == [("plan", "plan-document")]
    assert said[7]["text"].startswith("success")
    assert api.phase == "execute"
    assert api.incarnation == 1, "the tools registered a life of their own"
    assert not [item for item in said if item["error"]]


async def test_a_question_is_asked_once_and_its_answer_is_there_in_the_next_turn(
    api: ApiDouble, start: StartWrapper
) -> None:
    wrapper = start(*agent((ASK[0], {**ASK[1], "key": "deploy"})))
    await api.until(lambda: api.questions and api.saved.state is SupervisorState.WAITING_FOR_USER, SECONDS)
    api.answer(next(iter(api.questions)), "yes")
    assert await wrapper.ended(SECONDS) == 0
    first, second = (item["text"] for item in results(wrapper))
    assert "A person is asked. End your turn now" in first
    assert second == "The answer is: yes"
    assert len(api.questions) == 1


async def test_a_move_that_a_person_has_to_confirm_is_waited_for(api: ApiDouble, start: StartWrapper) -> None:
    api.guarded = True
    wrapper = start(*agent(("request_advance", {"to": "execute"})))
    await api.until(lambda: api.state and api.saved.state is SupervisorState.WAITING_FOR_USER, SECONDS)
    assert "A person has to confirm" in results(wrapper)[0]["text"]
    api.guarded = False
    api.move("execute")
    assert await wrapper.ended(SECONDS) == 0


async def test_what_is_wrong_with_a_call_is_said_and_nothing_is_reported(api: ApiDouble, start: StartWrapper) -> None:
    wrapper = start(
        *agent(
            ("complete_task", {"task_id": "none"}),
            ("complete_task", {"task_id": "00000000-0000-4000-8000-000000000000"}),
            ("ask_question", {"question": "x" * 1025}),
            ("spawn_task", {"name": "Not A Name"}),
            ("request_advance", {}),
        )
    )
    assert await wrapper.ended(SECONDS) == 0
    said = results(wrapper)
    assert [item["error"] for item in said] == [True] * 5
    assert "is no task_id" in said[0]["text"]
    assert "NOT_FOUND" in said[1]["text"]
    assert "question" in said[2]["text"]
    assert not api.tasks and not api.questions
