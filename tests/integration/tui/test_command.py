"""`makima contracts monitor` itself, in a real terminal, on a real API server with a real operator."""

from __future__ import annotations

import asyncio
import sys

from tests.integration.tui.conftest import Home
from tests.integration.tui.test_in_place import QUESTION, get, made, patch
from tests.support.terminal import Terminal, needs_tmux

pytestmark = needs_tmux


async def test_a_person_answers_at_a_terminal_with_nothing_but_a_kubeconfig(home: Home) -> None:
    await made(home, "asks")
    await patch(home, "asks", {"status": {"questions": [QUESTION]}}, "status")
    where = f"--kubeconfig {home.editor} --namespace {home.namespace}"
    terminal = await asyncio.to_thread(Terminal, 120, 40, f"{sys.executable} -m makima contracts monitor {where}")
    try:
        await asyncio.to_thread(terminal.wait_for, "an answer: Which")
        await asyncio.to_thread(terminal.wait_for, "live: kube watch alone")
        terminal.press("a")
        await asyncio.to_thread(terminal.wait_for, "2) MySQL")
        terminal.press("Down")
        terminal.press("Enter")
        async with asyncio.timeout(60):
            while not (answers := (await get(home, "asks"))["spec"].get("answers")):
                await asyncio.sleep(0.1)
        assert answers == [{"questionId": QUESTION["id"], "answer": "MySQL"}]
        await asyncio.to_thread(terminal.wait_for, "1 contract")
        terminal.press("q")
        await asyncio.to_thread(terminal.wait_for, "ended with 0")
    finally:
        terminal.close()
