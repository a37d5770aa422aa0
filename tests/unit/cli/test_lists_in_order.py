"""`list --sort`: by name, youngest first, or what moved last first; `--limit` leaves the first of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makima.models.contract import Contract
from tests.support.builders import START, a_contract, active, with_status
from tests.support.played_people import PlayedPeople, named


def born(contract: Contract, name: str, seconds: int) -> Contract:
    metadata = contract.metadata.model_copy(update={"creation_timestamp": START + timedelta(seconds=seconds)})
    return named(contract.model_copy(update={"metadata": metadata}), name)


def moved(name: str, seconds: int, activity: int) -> Contract:
    return born(with_status(active(), last_activity_time=START + timedelta(seconds=activity)), name, seconds)


THERE = (moved("b", 10, 300), moved("a", 20, 100), moved("d", 20, 200), born(a_contract(), "c", 30))
"""`c` was not accepted yet; `a` and `d` were created in the same second."""

ORDERS = [
    ("", "a b c d"),
    ("--sort name", "a b c d"),
    ("--sort age", "c a d b"),
    ("--sort activity", "b d a c"),
    ("--sort age --limit 1", "c"),
    ("--sort activity --limit 2", "b d"),
]


@pytest.mark.parametrize(("words", "names"), ORDERS)
def test_the_order_of_a_list(words: str, names: str) -> None:
    done = PlayedPeople(*THERE).paste(f"makima contracts list -o json {words}").ok()
    assert [item["metadata"]["name"] for item in done.json["items"]] == names.split()
