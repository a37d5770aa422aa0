"""The monitor on a terminal of its own, by Textual's pilot, over a scripted world: its list, and every screen."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.widgets import Input, OptionList, Static

from makima.tui.app import MonitorApp
from makima.tui.options import Options
from makima.tui.ordering import Order
from makima.tui.screens.contract_list import ContractListScreen
from makima.tui.screens.detail import DetailScreen
from makima.tui.screens.help import HelpScreen
from makima.tui.source import ApiLink, ContractGone, ContractsSeen, Happened, KubeLink, Link, LinkState
from makima.tui.widgets.heading_line import HeadingLine
from tests.support.monitor_contracts import NOW, a_contract
from tests.support.monitor_seat import at_monitor
from tests.support.monitor_teams import a_crowd, a_team, happening
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


async def test_a_name_typed_in_one_go_after_the_filters_key_commands_nothing() -> None:
    """Each letter of it is a command in the list: pause, advance, sort, restart."""
    async with at_monitor() as seat:
        await seat.sees("live: API + kube")
        for letter in "/pa/srx":
            seat.app.post_message(events.Key("slash" if letter == "/" else letter, letter))
        await seat.until(lambda: seat.app.screen.query_one("#filter", Input).value == "pa/srx")
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


async def test_whatever_it_is_sorted_by_has_an_arrow() -> None:
    async with at_monitor(size=(200, 40)) as seat:
        for order in Order:
            await seat.sees(f"by {order}")
            arrows = str(seat.app.query_one(HeadingLine).render()).count("▼")
            assert arrows == (0 if order is Order.ACTIVITY else 1), order  # that is in no column
            await seat.press("s")


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


async def test_the_cursor_on_the_first_line_stays_on_its_contract_and_what_comes_above_it_is_seen() -> None:
    async with at_monitor() as seat:
        assert seat.table.cursor_key == ("team-b", "billing-export")
        urgent = a_contract("urgent", "Blocked", since=99999)
        seat.world.tell(ContractsSeen([urgent]))
        await seat.until(lambda: seat.table.shown == 10)
        assert seat.table.cursor_key == ("team-b", "billing-export")
        assert "urgent" in seat.screen().split("billing-export")[0]
        await seat.press("g", "s")
        first = seat.table.cursor_key
        assert first != ("team-a", "urgent"), "put in another order by the person, the list is seen from its top"
        await seat.press("k")
        assert seat.table.cursor_key == first


async def test_while_the_list_is_read_the_cursor_is_on_its_first_line() -> None:
    async with at_monitor(PlayedWorld()) as seat:
        everything = told(*a_team())
        for part in ([a_contract("zzz", "Completed")], [a_contract("yyy")]):
            seat.world.tell(ContractsSeen(part))
            await seat.until(lambda part=part: seat.table.cursor_key == ("team-a", part[0].metadata.name))
        seat.world.tell(*everything)
        await seat.until(lambda: seat.table.cursor_key == ("team-b", "billing-export"))


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
        await seat.sees("There are no contracts yet")
        seat.world.tell(ContractsSeen([a_contract("first")]))
        await seat.until(lambda: seat.table.shown)
        await seat.press("enter")
        await seat.until(lambda: isinstance(seat.app.screen, DetailScreen))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(place="team-a"), "There are no contracts in team-a yet"),
        (
            Options(stale=True, place="all namespaces"),
            "There is no contract in all namespaces that was asked for: stale",
        ),
        (Options(contracts=("team-a/gone",), place="team-a"), "in team-a that was asked for: team-a/gone"),
    ],
)
async def test_an_empty_list_says_where_it_looks_and_for_what(options: Options, said: str) -> None:
    other = [] if not options.text() else [a_contract("other")]
    world = PlayedWorld()
    async with at_monitor(world, options=options) as seat:
        world.tell(*told(other))
        await seat.sees(said)
        assert seat.screen().lstrip().startswith(options.place)


async def test_what_may_not_be_seen_is_said_at_the_start() -> None:
    options = Options(place="3 namespaces", note="you may not list contracts in all namespaces; looked in: a, b, c")
    async with at_monitor(options=options) as seat:
        await seat.sees("looked in")


@pytest.mark.parametrize("typed", ["[/", "[/x]:y", "[red]zzz"])
async def test_a_filter_is_never_markup(typed: str) -> None:
    async with at_monitor() as seat:
        await seat.press("slash")
        await seat.until(lambda: isinstance(seat.app.focused, Input))
        await seat.press(*typed)
        await seat.sees(f"“{typed}”" if ":" not in typed else "[/x]: is not known")


async def test_that_a_contract_was_deleted_stands_in_the_events_of_a_list_of_that_one() -> None:
    contract = a_contract("work")
    world = PlayedWorld(told([contract]))
    async with at_monitor(world, options=Options(contracts=("team-a/work",))) as seat:
        gone = happening(contract, "ContractDeleted", 9, message="deleted by dana")
        world.tell(ContractGone(("team-a", "work")), Happened([gone]))
        await seat.sees("that was asked for: team-a/work")
        await seat.sees("deleted by dana")


async def test_ctrl_c_leaves() -> None:
    async with at_monitor() as seat:
        await seat.press("ctrl+c")
        await seat.until(lambda: not seat.app.is_running)


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
