"""codex, opencode and claude themselves, against a model on loopback: killed in a tool call, and continued."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from makima.models.enums import SupervisorState
from tests.support.api_double import ApiDouble
from tests.support.model_double import ModelDouble
from tests.support.real_agents import CHOSEN, CannotBeHad, RealAgent, installed
from tests.support.wrapper_process import StartWrapper, processes_with

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.exhaustive if name == "opencode" else ()) for name in CHOSEN]
)
def agent(request: pytest.FixtureRequest) -> RealAgent:
    """The program; opencode, which needs ten seconds of CPU for each start, is left to `make e2e`."""
    try:
        return installed(request.param)
    except CannotBeHad as error:
        pytest.skip(f"{request.param} can't be had: {error}")


@pytest.fixture
async def model(
    agent: RealAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: StartWrapper
) -> AsyncIterator[ModelDouble]:
    """Its model, and a configuration in the home of the test's wrappers that names no other."""
    async with ModelDouble().serve() as double:
        for name, value in agent.configure(tmp_path / "home", double).items():
            monkeypatch.setenv(name, value)
        for name in ("CODEX_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        yield double


async def _in_a_tool(api: ApiDouble, model: ModelDouble, sign: Path) -> None:
    await api.until(lambda: model.asked and sign.exists() and api.state, seconds=60)
    await api.until(lambda: "conversation" in api.saved.agent, seconds=30)


def _hanging_tool(folder: Path) -> tuple[Path, str]:
    sign = folder / "running"
    return sign, f"RUN[touch {sign}; exec sleep 1000]"


async def test_it_runs_to_its_end(api: ApiDouble, start: StartWrapper, agent: RealAgent, model: ModelDouble) -> None:
    wrapper = start(*agent.command("RUN[echo hello-from-the-tool]"))
    assert await wrapper.ended(90) == 0
    assert any("hello-from-the-tool" in text for role, text in model.asked[-1] if role == "tool")
    assert len(api.said()) == 1 and api.said()[0].startswith("done:")
    assert api.saved.state is SupervisorState.COMPLETED and api.saved.agent["program"] == agent.name


async def test_killed_with_its_wrapper_in_a_tool_call_it_is_continued_and_its_tool_ended(
    api: ApiDouble, start: StartWrapper, agent: RealAgent, model: ModelDouble, tmp_path: Path
) -> None:
    sign, prompt = _hanging_tool(tmp_path)
    first = start(*agent.command(prompt))
    await _in_a_tool(api, model, sign)
    conversation = api.saved.agent["conversation"]
    first.kill()
    left = processes_with(str(api.contract_id))
    assert left
    asked = len(model.asked)
    second = start(*agent.command(prompt))
    assert await second.ended(90) == 0
    assert not set(left) & set(processes_with(str(api.contract_id)))
    assert api.saved.agent["conversation"] == conversation
    texts = [text for _, text in model.asked[asked]]
    assert any("RUN[touch" in text for text in texts) and "interrupted" in texts[-1]
    assert api.incarnation == 2 and len(api.said()) == 1


async def test_killed_itself_in_a_tool_call_its_tool_is_ended_and_the_next_start_continues(
    api: ApiDouble, start: StartWrapper, agent: RealAgent, model: ModelDouble, tmp_path: Path
) -> None:
    sign, prompt = _hanging_tool(tmp_path)
    first = start(*agent.command(prompt))
    await _in_a_tool(api, model, sign)
    os.kill(_program(first.process.pid), signal.SIGKILL)
    assert await first.ended(30) == 137
    assert processes_with(str(api.contract_id)) == []
    assert api.saved.state is SupervisorState.INTERRUPTED
    conversation = api.saved.agent["conversation"]
    assert await start(*agent.command(prompt)).ended(90) == 0
    assert api.saved.agent["conversation"] == conversation and len(api.said()) == 1


async def test_it_delivers_with_makimas_own_tools(
    api: ApiDouble, start: StartWrapper, agent: RealAgent, model: ModelDouble
) -> None:
    wrapper = start(*agent.command('CALL[complete_deliverable {"deliverable": "plan-document"}]'))
    assert await wrapper.ended(200) == 0
    assert api.deliverables == [("plan", "plan-document")]
    assert any("deliverable plan-document of phase plan is complete" in text for role, text in model.asked[-1])
    assert api.incarnation == 1


async def test_what_it_asks_a_person_is_answered_in_the_same_conversation(
    api: ApiDouble, start: StartWrapper, agent: RealAgent, model: ModelDouble
) -> None:
    wrapper = start(*agent.command('CALL[ask_question {"question": "Deploy?", "options": ["yes", "no"]}]'))
    await api.until(lambda: api.questions and api.saved.state is SupervisorState.WAITING_FOR_USER, seconds=120)
    # The question comes by the socket, the conversation's id by the program's output: either may be first.
    await api.until(lambda: "conversation" in api.saved.agent)
    asked, conversation = len(model.asked), api.saved.agent["conversation"]
    api.answer(next(iter(api.questions)), "yes")
    assert await wrapper.ended(200) == 0
    assert len(model.asked) > asked
    texts = [text for _, text in model.asked[-1]]
    assert any("CALL[ask_question" in text for text in texts)
    assert any("You asked: Deploy?" in text and "The answer is: yes" in text for text in texts)
    assert api.saved.agent["conversation"] == conversation
    assert len(api.questions) == 1


async def test_a_second_writer_is_refused_before_it_says_anything(
    api: ApiDouble, start: StartWrapper, agent: RealAgent, model: ModelDouble, tmp_path: Path
) -> None:
    sign, prompt = _hanging_tool(tmp_path)
    first = start(*agent.command(prompt))
    await _in_a_tool(api, model, sign)
    asked = len(model.asked)
    assert await start(*agent.command(prompt), options=("--take-over",)).ended(30) == 73
    assert first.running and len(model.asked) == asked


def _program(wrapper: int) -> int:
    """The wrapper's own child."""
    return int(Path(f"/proc/{wrapper}/task/{wrapper}/children").read_text().split()[0])
