"""Answering and confirming in the monitor really changes the contract: real API server, real operator, real client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from makima.adapters.kubernetes.connection import MERGE_PATCH
from makima.adapters.kubernetes.contracts import path_of
from makima.client import Place, connect
from makima.tui.live import LiveSource
from makima.tui.screens.answer import AnswerDialog
from makima.tui.screens.confirm import ConfirmDialog
from makima.tui.screens.contract_list import ContractListScreen
from tests.integration.tui.conftest import Home
from tests.support.kube import Body, contract
from tests.support.monitor_seat import Seat, at_live_monitor

QUESTION = {
    "id": "00000000-0000-4000-8000-000000000001",
    "question": "Which database?",
    "type": "choice",
    "phase": "plan",
    "askedTime": "2026-01-01T00:00:00Z",
    "options": ["Postgres", "MySQL"],
}


@asynccontextmanager
async def sitting(home: Home, kubeconfig: Path) -> AsyncIterator[Seat]:
    """Somebody in front of the monitor, by their kubeconfig; makima's API does not run here."""
    place = Place(kubeconfig=kubeconfig, namespace=home.namespace)
    async with connect(place) as person, at_live_monitor(LiveSource(person, (home.namespace,))) as seat:
        yield seat


async def get(home: Home, name: str) -> Body:
    return await home.admin.request("GET", path_of("contracts", home.namespace, name))


async def patch(home: Home, name: str, body: Any, subresource: str | None = None) -> None:
    path = path_of("contracts", home.namespace, name, subresource)
    await home.admin.request("PATCH", path, body=body, content_type=MERGE_PATCH)


async def made(home: Home, name: str, **spec: Any) -> None:
    """A contract that the operator has accepted."""
    await home.admin.request("POST", path_of("contracts", home.namespace), body=contract(name, **spec))
    async with asyncio.timeout(60):
        while not (await get(home, name)).get("status", {}).get("state"):
            await asyncio.sleep(0.05)


async def test_a_question_answered_in_place_is_answered_for_the_operator(home: Home) -> None:
    await made(home, "asks")
    async with sitting(home, home.editor) as seat:
        await seat.sees("live: kube watch alone")
        await seat.sees("asks")
        await patch(home, "asks", {"status": {"questions": [QUESTION]}}, "status")
        await seat.sees("an answer: Which")
        await seat.press("a")
        await seat.opened(AnswerDialog)
        await seat.press("down", "enter")
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))
        key = (home.namespace, "asks")
        await seat.until(lambda: not seat.app.world.rows[key].questions)
    body = await get(home, "asks")
    assert body["spec"]["answers"] == [{"questionId": QUESTION["id"], "answer": "MySQL"}]


async def test_a_guard_is_confirmed_in_place_by_who_may_and_the_other_is_told_why_not(home: Home) -> None:
    await made(home, "guarded", phaseGuard=True)
    done = [{"phase": "plan", "id": "plan-document", "digest": "sha256:" + "ab" * 32}]
    await patch(home, "guarded", {"spec": {"deliverables": done}})
    async with sitting(home, home.editor) as seat:
        await seat.sees("a confirmation: plan")
        await _confirm(seat)
        await seat.sees("needs the verb confirm")
        await seat.press("escape")
    assert (await get(home, "guarded"))["status"]["phase"] == "plan"
    async with sitting(home, home.confirmer) as seat:
        await seat.sees("a confirmation: plan")
        await _confirm(seat)
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))
        await seat.sees("2/2")
    status = (await get(home, "guarded"))["status"]
    assert (status["phase"], status["advance"]["outcome"]) == ("execute", "Success")


async def _confirm(seat: Seat) -> None:
    await seat.press("c")
    await seat.opened(ConfirmDialog)
    await seat.sees("sha256:" + "ab" * 32)
    await seat.press(*"yes", "enter")


async def test_pause_and_resume_in_place_and_a_deleted_contract_leaves_the_list(home: Home) -> None:
    await made(home, "works")
    key = (home.namespace, "works")
    async with sitting(home, home.editor) as seat:
        await seat.until(lambda: seat.table.cursor_key == key)
        await seat.press("p")
        await seat.sees("Deadlines stand still")
        await seat.press(*"lunch", "enter")
        await seat.sees("somebody to resume it")
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))
        await seat.press("p")
        await seat.sees("It goes on")
        await seat.press("y")
        await seat.until(lambda: not seat.app.world.contracts[key].spec.suspend)
        await home.admin.request("DELETE", path_of("contracts", home.namespace, "works"))
        await seat.sees("There are no contracts yet")


async def test_who_may_only_look_sees_everything_and_is_told_what_they_lack(home: Home) -> None:
    await made(home, "guarded", phaseGuard=True)
    done = [{"phase": "plan", "id": "plan-document", "digest": "sha256:" + "ab" * 32}]
    await patch(home, "guarded", {"spec": {"deliverables": done}})
    async with sitting(home, home.reader) as seat:
        await seat.sees("a confirmation: plan")
        await _confirm(seat)
        await seat.sees("next: ask")
        assert isinstance(seat.app.screen, ConfirmDialog)
        await seat.press("escape", "p")
        await seat.sees("Deadlines stand still")
        await seat.press("enter")
        await seat.sees("next: ask")
        await seat.press("escape")
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))
    body = await get(home, "guarded")
    assert body["status"]["phase"] == "plan" and not body["spec"].get("suspend")


async def test_two_people_answer_and_the_second_is_told_so(home: Home) -> None:
    """Nobody takes the first answer up meanwhile: it stands in the spec, and the question is open still."""
    await made(home, "asks")
    await patch(home, "asks", {"status": {"questions": [QUESTION]}}, "status")
    async with sitting(home, home.editor) as seat:
        await seat.sees("an answer: Which")
        home.operator.kill()
        await seat.press("a")
        await seat.opened(AnswerDialog)
        answers = [{"questionId": QUESTION["id"], "answer": "Postgres"}]
        await patch(home, "asks", {"spec": {"answers": answers}})
        await seat.sees("not open any more")
        await seat.press("down", "enter", "escape")
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))
        await seat.press("a")
        await seat.sees("answered already")
    assert (await get(home, "asks"))["spec"]["answers"] == answers


async def test_a_contract_that_is_deleted_while_a_dialog_about_it_is_open_is_said_to_be_gone(home: Home) -> None:
    await made(home, "guarded", phaseGuard=True)
    async with sitting(home, home.confirmer) as seat:
        await seat.until(lambda: seat.table.cursor_key == (home.namespace, "guarded"))
        await seat.press("enter")
        await seat.sees("Phases")
        await seat.press("c")
        await seat.opened(ConfirmDialog)
        await home.admin.request("DELETE", path_of("contracts", home.namespace, "guarded"))
        await seat.sees("the contract is gone")
        await seat.press(*"yes", "enter")
        await seat.sees("no move can be confirmed now")
        await seat.press("escape")
        await seat.sees(f"{home.namespace}/guarded is gone")
