"""What comes over the socket of a wrapper is not trusted: whatever it is, it gets an answer that can be read."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from makima.supervisor import Supervisor
from makima.supervisor.tools.actions import Actions
from makima.supervisor.tools.calls import CALL_BYTES, ToolAnswer
from makima.supervisor.tools.socket import ToolSocket

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TOOLS = ["ask_question", "spawn_task", "complete_task", "fail_task", "complete_deliverable", "request_advance"]


async def _nobody_is_asked(*_: object) -> str | None:
    raise AssertionError("nothing of this is a call")


def actions() -> Actions:
    """Actions that can do nothing: there is no supervisor."""
    return Actions(cast("Supervisor", None), _nobody_is_asked, lambda _: None)


def answer(line: bytes) -> ToolAnswer:
    """What a line gets."""
    return asyncio.run(actions().carry_out(line))


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_call_is_answered_so(line: bytes) -> None:
    assert answer(line).ok is False


@given(st.sampled_from(TOOLS), st.dictionaries(st.text(max_size=8), JSON, max_size=3))
def test_arguments_that_a_tool_does_not_take_are_named(tool: str, arguments: dict[str, Any]) -> None:
    found = answer(json.dumps({**arguments, "tool": tool, "surprise": 1}).encode())
    assert found.ok is False
    assert found.text.startswith("not done: ")


async def test_only_this_user_reaches_it_and_nothing_is_left_of_it() -> None:
    socket = ToolSocket()
    assert socket.path.parent.stat().st_mode & 0o777 == 0o700
    async with socket.serve(actions()):
        reader, writer = await asyncio.open_unix_connection(socket.path)
        writer.write(b"{}\n" + b"[]\n")
        assert [json.loads(await reader.readline())["ok"] for _ in range(2)] == [False, False]
        writer.close()
    assert not socket.path.parent.exists()


async def test_a_call_that_is_too_long_is_refused_and_ends_the_connection() -> None:
    socket = ToolSocket()
    async with socket.serve(actions()):
        reader, writer = await asyncio.open_unix_connection(socket.path)
        writer.write(b"x" * (CALL_BYTES + 1))
        assert "at most" in json.loads(await reader.readline())["text"]
        assert await reader.read() == b""
        writer.close()
