"""Answers, confirmations and other wishes in the monitor: asked in place, sent once, refused in a line."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from textual.widgets import Input, OptionList

from makima.errors import Denied, MakimaError
from makima.models.contract import Contract
from makima.tui.harmless import STEERING
from makima.tui.screens.answer import AnswerDialog
from makima.tui.screens.confirm import ConfirmDialog
from makima.tui.screens.contract_list import ContractListScreen
from makima.tui.screens.inbox import InboxScreen
from makima.tui.screens.sure import PauseDialog, RetryDialog
from makima.tui.source import ContractsSeen
from tests.support.monitor_contracts import DIGEST, NOW, a_body, a_contract, a_question, a_supervisor
from tests.support.monitor_seat import at_monitor
from tests.support.monitor_teams import QUESTION, a_team
from tests.support.monitor_world import PlayedWorld, told


async def test_a_question_is_answered_in_place_by_its_options() -> None:
    async with at_monitor() as seat:
        seat.table.go_to(("team-a", "pay-service"))
        await seat.press("a")
        await seat.opened(AnswerDialog)
        await seat.sees("Which database shall")
        await seat.press("down", "enter")
        await seat.until(lambda: seat.world.asked)
        assert seat.world.asked == [("answer", ("team-a", "pay-service"), QUESTION["id"], "MySQL")]
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))


@pytest.mark.parametrize(("typed", "sent"), [("CockroachDB", "CockroachDB"), ("3", "SQLite"), ("42", "42")])
async def test_an_answer_is_written_or_a_number_chosen(typed: str, sent: str) -> None:
    async with at_monitor() as seat:
        seat.app.open_contract(("team-a", "pay-service"))
        await seat.sees("Phases")
        await seat.press("a")
        await seat.opened(AnswerDialog)
        seat.app.screen.query_one(Input).focus()
        await seat.press("enter")
        await seat.sees("an answer has at least one character")
        await seat.press(*typed, "enter")
        await seat.until(lambda: seat.world.asked)
        assert seat.world.asked[0][3] == sent


HOSTILE = "Shall I \x1b[2J\x1b]0;owned\x07 drop\u202e it? [/b]"


async def test_what_an_agent_wrote_steers_no_terminal_and_is_no_markup() -> None:
    question = a_question(1, HOSTILE, "yes \x1b[31m[/]", "no")
    failed = a_contract("broken", "Failed", failureReason=HOSTILE)
    asks = a_contract("asks", "WaitingForInput", questions=[question], waitingFor=f"answer: {HOSTILE}")
    supervisor = a_supervisor("asks", "WaitingForUser", currentActivity=HOSTILE, errorMessage=HOSTILE)
    async with at_monitor(PlayedWorld(told([asks, failed], [supervisor]))) as seat:

        async def harmless(text: str) -> None:
            await seat.sees(text)
            assert not STEERING.search(seat.screen())

        await harmless("an answer: Shall I")
        seat.table.go_to(("team-a", "asks"))
        await seat.press("enter")
        await harmless("it? [/b]")
        await seat.press("a")
        await seat.opened(AnswerDialog)
        await harmless("[/]")
        await seat.press("enter")
        await harmless("answered: yes")
        await seat.press("i")
        await seat.until(lambda: isinstance(seat.app.screen, InboxScreen) and seat.app.screen.drawn)
        await harmless("an answer: Shall I")
        await seat.press("escape", "escape")
        seat.table.go_to(("team-a", "broken"))
        await seat.press("r")
        await seat.opened(RetryDialog)
        await harmless("It failed: Shall I")


async def test_what_is_answered_is_not_asked_again_though_the_operator_has_not_taken_it_up() -> None:
    body = a_body("work", "WaitingForInput", questions=[QUESTION], waitingFor="answer: x")
    body["spec"]["answers"] = [{"questionId": QUESTION["id"], "answer": "MySQL"}]
    async with at_monitor(PlayedWorld(told([Contract.from_object(body)]))) as seat:
        await seat.press("a")
        await seat.sees("answered already")
        assert isinstance(seat.app.screen, ContractListScreen)


async def test_a_long_question_is_read_from_its_beginning_and_its_options_are_reached() -> None:
    question = a_question(
        1, "BEGIN " + "words " * 300 + "END", *(f"option {n} " + "of many words " * 8 for n in range(8))
    )
    contract = a_contract("work", "WaitingForInput", questions=[question], waitingFor="answer: x")
    async with at_monitor(PlayedWorld(told([contract])), size=(80, 24)) as seat:
        await seat.press("a")
        await seat.opened(AnswerDialog)
        await seat.sees("BEGIN")
        await seat.sees("PgUp PgDn")
        await seat.press("down")
        await seat.sees("▸ 2) option 1")
        await seat.press("pageup", "pageup", "pageup")
        await seat.sees("BEGIN")
        await seat.press("pagedown")
        await seat.sees("END")
        await seat.press("enter")
        await seat.until(lambda: seat.world.asked)
        assert seat.world.asked[0][3].startswith("option 1")


async def test_what_changed_while_a_refusal_was_on_its_way_is_shown_as_it_is_now() -> None:
    refusing = asyncio.Event()

    class Slow(PlayedWorld):
        async def advance(self, *_: Any, **__: Any) -> None:
            await refusing.wait()
            raise Denied("VERSION_CONFLICT: expected 7, actual 8, phase plan", code="VERSION_CONFLICT")

    world = Slow(told(*a_team()))
    async with at_monitor(world) as seat:
        key = ("team-b", "web-checkout")
        seat.table.go_to(key)
        await seat.press("c")
        await seat.opened(ConfirmDialog)
        await seat.press(*"yes", "enter")
        await seat.sees("asking the API server")
        later = a_contract(
            key[1], "WaitingForInput", namespace=key[0], kind="specification", step=3, version=8, guard=True
        )
        world.tell(ContractsSeen([later]))
        await seat.until(lambda: seat.app.world.contracts[key] is later)
        refusing.set()
        await seat.sees("it changed while you looked")
        await seat.sees("version 8")


async def test_several_questions_are_gone_through_and_one_answered_elsewhere_is_said() -> None:
    both = [QUESTION, a_question(2, "What is its name?")]
    contract = a_contract("work", "WaitingForInput", questions=both, waitingFor="answer: x")
    async with at_monitor(PlayedWorld(told([contract]))) as seat:
        await seat.press("a")
        await seat.opened(AnswerDialog)
        await seat.sees("question 1 of 2")
        await seat.press("ctrl+n")
        await seat.sees("What is its name?")
        seat.world.tell(ContractsSeen([a_contract("work", "WaitingForInput", questions=[QUESTION])]))
        await seat.sees("this question is not open any more")
        await seat.press("escape")
        assert seat.world.asked == []


async def test_a_guard_is_confirmed_only_by_a_typed_yes_for_the_version_shown() -> None:
    async with at_monitor() as seat:
        seat.table.go_to(("team-b", "web-checkout"))
        await seat.press("c")
        await seat.opened(ConfirmDialog)
        for part in ("plan → execute", "version 7", DIGEST, "plan-document"):
            await seat.sees(part)
        await seat.press("enter")
        await seat.sees("nothing was done")
        await seat.press(*"y", "enter")
        assert seat.world.asked == []
        seat.app.screen.query_one(Input).value = ""
        await seat.press(*"yes", "enter")
        await seat.until(lambda: seat.world.asked)
        assert seat.world.asked == [("advance", ("team-b", "web-checkout"), "execute", 7, True)]


async def test_what_changes_while_it_is_looked_at_must_be_looked_at_again() -> None:
    async with at_monitor() as seat:
        seat.table.go_to(("team-b", "web-checkout"))
        await seat.press("c")
        await seat.opened(ConfirmDialog)
        await seat.press(*"yes")
        later = a_contract(
            "web-checkout", "WaitingForInput", namespace="team-b", kind="specification", step=3, version=8, guard=True
        )
        seat.world.tell(ContractsSeen([later]))
        await seat.sees("it changed while you looked")
        await seat.sees("version 8")
        await seat.press("enter")
        assert seat.world.asked == []


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (Denied("UNAUTHORIZED: confirming needs the verb confirm", "ask an administrator"), "ask an administrator"),
        (Denied("VERSION_CONFLICT: expected 7, actual 8, phase plan", code="VERSION_CONFLICT"), "actual 8"),
        (MakimaError("the API server can't be reached", "try again"), "can't be reached"),
        (RuntimeError("a bug"), "unexpected: RuntimeError"),
    ],
)
async def test_a_refusal_is_a_line_in_the_dialog_and_never_a_crash(error: Any, shown: str) -> None:
    world = PlayedWorld(told(*a_team()), refuses=error)
    async with at_monitor(world) as seat:
        seat.table.go_to(("team-b", "web-checkout"))
        await seat.press("c")
        await seat.opened(ConfirmDialog)
        await seat.press(*"yes", "enter")
        await seat.sees(shown)
        assert isinstance(seat.app.screen, ConfirmDialog)
        await seat.press("escape")
        assert isinstance(seat.app.screen, ContractListScreen)


async def test_pause_resume_and_restart_ask_first() -> None:
    async with at_monitor() as seat:
        seat.table.go_to(("team-a", "upgrade-tls"))
        await seat.press("p")
        await seat.opened(PauseDialog)
        await seat.press(*"later", "enter")
        await seat.until(lambda: seat.world.asked)
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))
        seat.table.go_to(("team-a", "data-migration"))
        await seat.press("p")
        await seat.sees("It goes on")
        await seat.press("enter")
        assert len(seat.world.asked) == 1
        await seat.press("y")
        await seat.until(lambda: len(seat.world.asked) == 2)
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))
        seat.table.go_to(("team-a", "upgrade-tls"))
        await seat.press("r")
        await seat.sees("Its life number 2 ends")
        await seat.press("n")
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen))
        assert len(seat.world.asked) == 2
        await seat.press("r")
        await seat.sees("Its life number 2 ends")
        await seat.press("y")
        await seat.until(lambda: len(seat.world.asked) == 3)
        assert seat.world.asked == [
            ("suspend", ("team-a", "upgrade-tls"), "later"),
            ("resume", ("team-a", "data-migration"), None),
            ("restart", ("team-a", "upgrade-tls"), 2),
        ]


async def test_the_inbox_is_worked_through_oldest_first() -> None:
    async with at_monitor() as seat:
        await seat.press("i")
        await seat.until(lambda: isinstance(seat.app.screen, InboxScreen) and seat.app.screen.drawn)
        await seat.sees("inbox: 6 to look at")
        text = seat.screen()
        assert text.index("billing-export") < text.index("pay-service") < text.index("web-checkout")
        await seat.press("j", "j", "j", "j", "a")
        await seat.opened(AnswerDialog)
        await seat.press("enter")
        await seat.until(lambda: seat.world.asked)
        seat.world.tell(ContractsSeen([a_contract("pay-service")]))
        await seat.sees("inbox: 5 to look at")


async def test_ages_in_the_inbox_go_on_and_the_marker_stays() -> None:
    async with at_monitor() as seat:
        await seat.press("i")
        await seat.sees("team-a/pay-service  33 minutes ago")
        await seat.press("j")
        await seat.sees("▸ team-a/data-migration  2 hours ago")
        seat.app.now = lambda: NOW + timedelta(minutes=5)
        await seat.sees("team-a/pay-service  38 minutes ago")
        await seat.sees("▸ team-a/data-migration  2 hours 5 minutes ago")


async def test_of_a_very_long_inbox_the_oldest_are_shown_and_the_others_come_up() -> None:
    asked = {number: [a_question(number, "?", since=number)] for number in range(1, 1001)}
    waits = [a_contract(f"work-{number:04}", "WaitingForInput", questions=asked[number]) for number in asked]
    async with at_monitor(PlayedWorld(told(waits))) as seat:
        await seat.press("i")
        await seat.sees("inbox: 1,000 to look at, oldest first; the oldest 100 are shown")
        await seat.sees("▸ team-a/work-1000")
        assert len(seat.app.screen.query_one(OptionList).options) == 100
        seat.world.tell(ContractsSeen([a_contract("work-1000")]))
        await seat.sees("inbox: 999 to look at")
        await seat.sees("▸ team-a/work-0999")


async def test_the_chosen_entry_has_a_marker_that_follows_it() -> None:
    async with at_monitor() as seat:
        await seat.press("i")
        await seat.sees("▸ team-a/search-index")
        await seat.press("j", "j", "j", "j")
        await seat.sees("▸ team-a/pay-service")
        assert seat.screen().count("▸ ") == 1
        await seat.press("a")
        await seat.opened(AnswerDialog)
        await seat.sees("▸ 1) Postgres")
        await seat.press("down")
        await seat.sees("▸ 2) MySQL")
        assert "▸ 1) Postgres" not in seat.screen()


async def test_a_failed_contract_is_taken_up_again_where_it_is_shown() -> None:
    async with at_monitor() as seat:
        await seat.press("i")
        await seat.sees("r takes it up again")
        await seat.press("r")
        await seat.opened(RetryDialog)
        await seat.sees("It failed: The restart budget of 10 is spent")
        await seat.press("enter")
        assert seat.world.asked == []
        seat.world.tell(ContractsSeen([a_contract("search-index", "Failed", since=10800, version=4)]))
        await seat.until(lambda: seat.app.world.contracts["team-a", "search-index"].status.version == 4)
        await seat.press("y")
        await seat.sees("it is not what you looked at any more")
        await seat.press("escape", "r")
        await seat.opened(RetryDialog)
        await seat.press("y")
        await seat.until(lambda: seat.world.asked)
        assert seat.world.asked == [("retry", ("team-a", "search-index"), 4)]
