"""The monitor on a terminal of its own, by Textual's pilot, over a scripted world."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from textual.widgets import Input, OptionList, Static

from makima.errors import Denied, MakimaError
from makima.tui.app import MonitorApp
from makima.tui.options import Options
from makima.tui.screens.answer import AnswerDialog
from makima.tui.screens.confirm import ConfirmDialog
from makima.tui.screens.contract_list import ContractListScreen
from makima.tui.screens.detail import DetailScreen
from makima.tui.screens.help import HelpScreen
from makima.tui.screens.inbox import InboxScreen
from makima.tui.screens.sure import PauseDialog, RetryDialog
from makima.tui.source import ApiLink, ContractGone, ContractsSeen, Happened, KubeLink, Link, LinkState
from makima.tui.widgets.heading_line import HeadingLine
from tests.support.monitor_contracts import DIGEST, NOW, a_contract, a_question
from tests.support.monitor_seat import at_monitor
from tests.support.monitor_teams import QUESTION, a_crowd, a_team, happening
from tests.support.monitor_world import PlayedWorld, told

SIZES = [(80, 24), (120, 40), (240, 70)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_shows_who_needs_a_person_first_at_any_size(size: tuple[int, int]) -> None:
    async with at_monitor(size=size) as seat:
        await seat.sees("live: API + kube")
        text = seat.screen()
        for part in ("9 contracts", "3 waiting", "2 in trouble", "◆ Waiting", "■ Blocked", "✗ Failed", "! Stale"):
            assert part in text
        assert text.index("billing-export") < text.index("pay-service") < text.index("upgrade-tls")
        assert seat.table.cursor_key == ("team-b", "billing-export")


async def test_keys_move_open_and_go_back() -> None:
    async with at_monitor() as seat:
        await seat.press("j", "down")
        assert seat.table.cursor_key == ("team-b", "web-checkout")
        await seat.press("k")
        assert seat.table.cursor_key == ("team-a", "pay-service")
        await seat.press("G")
        assert seat.table.cursor_key == ("team-a", "flaky-tests")
        await seat.press("g", "enter")
        await seat.until(lambda: isinstance(seat.app.screen, DetailScreen))
        await seat.press("escape")
        assert isinstance(seat.app.screen, ContractListScreen)


async def test_the_filter_narrows_with_every_key_and_escape_takes_it_away() -> None:
    async with at_monitor() as seat:
        await seat.press("slash")
        await seat.until(lambda: isinstance(seat.app.focused, Input))
        await seat.press(*"ns:team-b")
        await seat.until(lambda: seat.table.shown == 3)
        await seat.press("enter")
        assert seat.app.focused is seat.table
        await seat.press("slash", *" zzz")
        await seat.sees("None of 9 contracts fits the filter")
        await seat.press("enter", "escape")
        await seat.until(lambda: seat.table.shown == 9)
        await seat.press("slash", *"colour:red")
        await seat.sees("colour: is not known; use ns:")


async def test_s_and_a_click_on_a_heading_sort() -> None:
    async with at_monitor() as seat:
        await seat.press("s")
        await seat.sees("by name")
        assert "Waits for a person (" not in seat.screen()
        heading = seat.app.query_one(HeadingLine)
        left = str(heading.render()).index("Beat")
        await seat.pilot.click(HeadingLine, offset=(left, 0))
        await seat.sees("by oldest heartbeat")
        await seat.pilot.click(HeadingLine, offset=(left, 0))
        await seat.sees("by oldest heartbeat (reversed)")


async def test_help_and_jump() -> None:
    async with at_monitor() as seat:
        await seat.press("question_mark")
        await seat.until(lambda: isinstance(seat.app.screen, HelpScreen))
        await seat.sees("inbox: everything that waits")
        await seat.press("escape", "colon")
        await seat.until(lambda: isinstance(seat.app.focused, Input))
        await seat.press(*"mobile")
        await seat.sees("team-b/mobile-login")
        await seat.press("down", "enter")
        await seat.until(lambda: isinstance(seat.app.screen, DetailScreen))
        await seat.press("colon")
        await seat.until(lambda: isinstance(seat.app.focused, Input))
        await seat.press(*"ns team-b")
        await seat.sees("only contracts of team-b")
        await seat.press("down", "enter")
        await seat.until(lambda: isinstance(seat.app.screen, ContractListScreen) and seat.table.shown == 3)


async def test_the_cursor_stays_on_its_contract_when_the_list_moves_around_it() -> None:
    async with at_monitor() as seat:
        await seat.press("j", "j")
        assert seat.table.cursor_key == ("team-b", "web-checkout")
        urgent = a_contract("urgent", "WaitingForInput", since=99999, waitingFor="answer: now?")
        seat.world.tell(ContractsSeen([urgent]))
        await seat.until(lambda: seat.table.shown == 10)
        assert seat.table.cursor_key == ("team-b", "web-checkout")
        seat.world.tell(ContractGone(("team-b", "web-checkout")))
        await seat.until(lambda: seat.table.shown == 9)
        assert seat.table.cursor_key is not None


@pytest.mark.parametrize("size", SIZES)
async def test_the_detail_shows_phases_supervisor_tasks_and_events(size: tuple[int, int]) -> None:
    async with at_monitor(size=size) as seat:
        seat.app.open_contract(("team-a", "upgrade-tls"))
        await seat.sees("pod upgrade-tls-2")
        await seat.sees("plan → execute")
        if size[1] > 30:
            for part in ("4 execute", "pull-request", DIGEST[:19], "restarts 1 of 10", "resumed where it was", "lint"):
                await seat.sees(part)


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


async def test_the_events_of_a_contract_are_read_back_page_by_page() -> None:
    contract = a_team()[0][0]
    past = [
        happening(contract, "PhaseChanged", seq, NOW - timedelta(minutes=600 - seq), old_phase="x", new_phase=f"n{seq}")
        for seq in range(1, 451)
    ]
    async with at_monitor(PlayedWorld(told(*a_team()), past=past)) as seat:
        seat.app.open_contract((contract.metadata.namespace, contract.metadata.name))
        await seat.sees("x → n450")
        assert "x → n250" not in seat.screen()
        await seat.press("e")
        await seat.sees("Esc closes")
        assert "Phases" not in seat.screen()
        for oldest in (251, 51, 1):
            await seat.press("home")
            await seat.sees(f"x → n{oldest} ")
        await seat.press("escape")
        await seat.sees("Phases")
        assert isinstance(seat.app.screen, DetailScreen)


async def test_the_status_line_follows_the_connections() -> None:
    async with at_monitor() as seat:
        seat.world.tell(ApiLink(Link(LinkState.DOWN, NOW, "no endpoints")))
        await seat.sees("live: kube watch alone")
        await seat.sees("no endpoints")
        seat.world.tell(KubeLink(Link(LinkState.DOWN, NOW, "connection refused")))
        await seat.sees("stale since")
        seat.world.tell(KubeLink(Link(LinkState.LIVE, NOW)), ApiLink(Link(LinkState.LIVE, NOW)))
        await seat.sees("live: API + kube")


async def test_before_anything_is_known_and_when_there_is_nothing_it_says_so() -> None:
    async with at_monitor(PlayedWorld()) as seat:
        await seat.sees("Asking the Kubernetes API")
        seat.world.tell(*told([]))
        await seat.press("s")
        await seat.sees("There are no contracts yet")


async def test_quiet_shows_only_important_events() -> None:
    async with at_monitor(options=Options(quiet=True)) as seat:
        await seat.sees("no activity for 1 hour")
        assert "lint completed" not in seat.screen()
        failed = happening(a_team()[0][0], "TaskCompleted", 90, task_name="deploy", success=False)
        seat.world.tell(Happened([failed]))
        await seat.sees("deploy failed")


async def test_a_contract_that_is_deleted_while_it_is_shown_says_so() -> None:
    async with at_monitor() as seat:
        seat.app.open_contract(("team-a", "upgrade-tls"))
        await seat.sees("pod upgrade-tls-2")
        seat.world.tell(ContractGone(("team-a", "upgrade-tls")))
        await seat.sees("is gone")
        await seat.press("a")
        assert isinstance(seat.app.screen, DetailScreen)


async def test_a_history_that_cannot_be_read_is_said_above_what_the_resource_tells() -> None:
    world = PlayedWorld(told(*a_team()), past=MakimaError("makima's API can't be reached"))
    async with at_monitor(world) as seat:
        seat.app.open_contract(("team-a", "search-index"))
        await seat.sees("only what the resource tells: makima's API can't be reached")
        await seat.sees("active → failed")


async def test_thousands_of_contracts_are_filtered_and_scrolled() -> None:
    world = PlayedWorld(told(*a_crowd(5000)))
    async with at_monitor(world) as seat:
        await seat.until(lambda: seat.table.shown == 5000)
        await seat.press("G", "pageup", "g")
        await seat.press("slash", *"work-04242")
        await seat.until(lambda: seat.table.shown == 1)
        assert "work-04242" in seat.screen()


async def test_the_terminal_may_become_small_and_large_again() -> None:
    async with at_monitor(size=(160, 50)) as seat:
        for size in ((40, 10), (20, 5), (80, 24), (200, 60)):
            await seat.pilot.resize_terminal(*size)
            await seat.pilot.pause()
            await seat.press("j", "enter", "escape")
        await seat.sees("pay-service")


async def test_without_colour_everything_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with at_monitor() as seat:
        assert seat.app.no_color
        await seat.sees("◆ Waiting")
        row = next(line for line in seat.screen().splitlines() if "billing-export" in line)
        assert "▸" in row and "■ Blocked" in row
        assert seat.app.query(Static) and not seat.app.query(OptionList)


async def test_it_ends_by_itself_when_its_time_is_over() -> None:
    app = MonitorApp(PlayedWorld(told([])), seconds=0.2)
    async with asyncio.timeout(60), app.run_test():
        while app.is_running:
            await asyncio.sleep(0.02)
    assert app.return_code == 0
