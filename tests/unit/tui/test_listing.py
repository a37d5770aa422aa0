"""Filter, order, columns, commands: what the list shows and where."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from makima.tui.attention import Need
from makima.tui.columns import GAP, fitted, layout
from makima.tui.commands import Verb, find_commands
from makima.tui.filtering import parse_filter
from makima.tui.listing import Heading, Listing
from makima.tui.options import Options
from makima.tui.ordering import Order, Sorting, in_order
from makima.tui.rows import Row, row_of
from tests.support.monitor_contracts import NOW, a_contract, uid_of
from tests.support.monitor_teams import QUESTION, a_team


def team_rows() -> list[Row]:
    contracts, supervisors = a_team()
    by_key = {item.metadata.name: item for item in supervisors}
    return [row_of(contract, by_key.get(contract.metadata.name), None, NOW) for contract in contracts]


def names(text: str) -> set[str]:
    chosen = parse_filter(text)
    return {row.name for row in team_rows() if chosen(row)}


EVERY = {row.name for row in team_rows()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", EVERY),
        ("   ", EVERY),
        ("pay", {"pay-service"}),
        ("PAY Postgres", set()),
        ("database", {"pay-service"}),
        ("LoginForm", {"mobile-login"}),
        ("ns:team-b", {"web-checkout", "billing-export", "mobile-login"}),
        ("ns:team-b state:active", {"mobile-login"}),
        ("ns:", EVERY),
        ("state:failed,blocked", {"search-index", "billing-export"}),
        ("state:WaitingForInput", {"pay-service", "web-checkout"}),
        ("state:waiting_for_input", {"pay-service", "web-checkout"}),
        ("status:completed", {"flaky-tests"}),
        ("phase:spec", {"pay-service"}),
        ("waiting", {"pay-service", "web-checkout", "billing-export"}),
        ("stale", {"docs-rewrite"}),
        ("waiting !ns:team-b", {"pay-service"}),
        ("!waiting !stale !done !trouble", {"upgrade-tls", "mobile-login", "data-migration"}),
        ("!", EVERY),
    ],
)
def test_a_filter_shows(text: str, expected: set[str]) -> None:
    assert names(text) == expected


def test_a_part_that_is_not_understood_is_named_and_the_rest_holds() -> None:
    chosen = parse_filter("color:red ns:team-b")
    assert "color: is not known; use ns:" in chosen.problem
    assert sum(map(chosen, team_rows())) == 3


@given(st.text(max_size=60))
def test_no_text_breaks_the_filter(text: str) -> None:
    chosen = parse_filter(text)
    assert {row.name for row in team_rows() if chosen(row)} <= EVERY


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), EVERY),
        (Options(contracts=["team-a/pay-service", "team-b:web-checkout"]), {"pay-service", "web-checkout"}),
        (Options(contracts=[uid_of("team-a", "pay-service")]), {"pay-service"}),
        (Options(statuses=["failed", "paused"]), {"search-index", "data-migration"}),
        (Options(statuses=["completed"]), {"flaky-tests"}),
        (Options(stale=True), {"docs-rewrite"}),
        (Options(contracts=["pay-service"], stale=True), set()),
    ],
)
def test_the_options_of_the_plan_narrow_everything(options: Options, expected: set[str]) -> None:
    chosen = options.filter()
    assert {row.name for row in team_rows() if chosen(row)} == expected


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        (Options(), True),
        (Options(contracts=["team-a/pay-service"]), True),
        (Options(contracts=[uid_of("team-a", "pay-service")]), True),
        (Options(contracts=["team-b/web-checkout"]), False),
        (Options(contracts=["team-a/pay-service"], stale=True), False),
        (Options(statuses=["active"]), False),
        (Options(selector="a=b"), False),
    ],
)
def test_events_of_a_contract_that_is_gone_are_shown_where_it_was_named(options: Options, meant: bool) -> None:
    assert options.mean_gone(("team-a", "pay-service"), uid_of("team-a", "pay-service")) is meant


def test_those_that_need_a_person_come_first_and_the_oldest_of_them_before_others() -> None:
    rows = in_order(team_rows(), Sorting())
    assert [row.name for row in rows[:5]] == [
        "billing-export",
        "pay-service",
        "web-checkout",
        "search-index",
        "docs-rewrite",
    ]
    assert [row.need for row in rows] == sorted(row.need for row in rows)


@pytest.mark.parametrize("order", list(Order))
def test_every_order_is_total_and_turns_round(order: Order) -> None:
    rows = team_rows()
    there = in_order(rows, Sorting(order))
    assert in_order(reversed(rows), Sorting(order)) == there
    assert in_order(rows, Sorting(order, reverse=True)) == there[::-1]


def test_s_goes_through_all_orders_and_back_and_a_heading_turns_round() -> None:
    sorting, seen = Sorting(), set()
    for _ in Order:
        seen.add(sorting.order)
        sorting = sorting.next()
    assert seen == set(Order) and sorting == Sorting()
    assert Sorting().by(Order.NAME).by(Order.NAME) == Sorting(Order.NAME, reverse=True)


def test_groups_have_headings_with_counts_and_other_orders_have_none() -> None:
    listing = Listing(parse_filter(""))
    headings = [line for line in listing.lines(team_rows()) if isinstance(line, Heading)]
    assert [(line.need, line.count) for line in headings] == [
        (Need.PERSON, 3),
        (Need.TROUBLE, 2),
        (Need.RUNNING, 2),
        (Need.PAUSED, 1),
        (Need.DONE, 1),
    ]
    listing.sorting = Sorting(Order.NAME)
    assert not any(isinstance(line, Heading) for line in listing.lines(team_rows()))


def test_the_list_is_put_in_order_anew_only_when_a_row_moves() -> None:
    listing = Listing(parse_filter(""))
    rows = {row.key: row for row in team_rows()}
    listing.lines(rows.values())
    key = ("team-a", "upgrade-tls")
    later = row_of(a_contract("upgrade-tls", kind="specification", step=4, since=5), None, None, NOW)
    assert not listing.moved({**rows, key: later}, [key])
    waits = row_of(a_contract("upgrade-tls", "WaitingForInput", questions=[QUESTION]), None, None, NOW)
    assert listing.moved({**rows, key: waits}, [key])
    assert listing.moved({name: row for name, row in rows.items() if name != key}, [key])
    new = ("team-a", "new")
    assert listing.moved({**rows, new: row_of(a_contract("new"), None, None, NOW)}, [new])


@pytest.mark.parametrize("width", [10, 40, 60, 76, 78, 100, 118, 140, 200, 400])
def test_columns_fill_the_width_and_the_important_ones_stay(width: int) -> None:
    columns = layout(width)
    headings = [column.heading for column, _ in columns]
    assert {"State", "Contract", "Waits for / does", "Since"} <= set(headings)
    total = sum(cells for _, cells in columns) + GAP * (len(columns) - 1)
    assert total <= max(width, 55)
    if 60 <= width <= 200:
        assert total == width


def test_a_wider_terminal_never_shows_less() -> None:
    shown = [{column.heading for column, _ in layout(width)} for width in range(55, 260)]
    counts = [len(item) for item in shown]
    assert counts == sorted(counts)
    assert {"Beat", "Phase"} <= shown[78 - 55]
    assert {"Supervisor", "Progress", "Restarts", "Age", "Type", "Namespace"} <= shown[-1]


@given(st.text(max_size=40), st.integers(1, 60), st.booleans())
def test_any_text_has_exactly_its_width(text: str, width: int, right: bool) -> None:
    assert cell_len(fitted(text, width, right)) == width


def test_escape_sequences_of_an_activity_do_not_reach_the_terminal() -> None:
    assert fitted("\x1b[31mred\x07\n", 12) == " [31mred    "


@pytest.mark.parametrize(
    ("typed", "verb", "argument"),
    [
        (":q", Verb.QUIT, ""),
        ("quit", Verb.QUIT, ""),
        (":inbox", Verb.INBOX, ""),
        (":ns team-b", Verb.NAMESPACE, "team-b"),
        ("ns b", Verb.NAMESPACE, "team-b"),
        ("sort age", Verb.SORT, "AGE"),
        ("state wait", Verb.STATE, "waiting_for_input"),
        ("clear", Verb.CLEAR, ""),
        ("help", Verb.HELP, ""),
    ],
)
def test_a_command_is_found_first(typed: str, verb: Verb, argument: str) -> None:
    keys = [row.key for row in team_rows()]
    first = find_commands(typed, keys)[0]
    assert (first.verb, first.argument) == (verb, argument)


def test_a_contract_is_found_by_any_part_of_its_name_the_beginning_first() -> None:
    keys = [("team-a", "repay"), ("team-a", "pay-service"), ("pay", "other")]
    assert [item.key for item in find_commands("pay", keys)] == [
        ("team-a", "pay-service"),
        ("pay", "other"),
        ("team-a", "repay"),
    ]
    assert next(item.key for item in find_commands("team-a/pay", keys)) == ("team-a", "repay")
    assert find_commands("nothing-like-it", keys) == []


def test_ages_in_the_rows_are_those_of_now() -> None:
    row = team_rows()[0]
    column = next(column for column, _ in layout(100) if column.heading == "Since")
    assert column.cell(row, NOW).text == "33m"
    assert column.cell(row, NOW + timedelta(hours=1)).text == "1h33"
