"""Which contract an address means, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.errors import HistoryUnavailable
from makima.models.wire.problem import Code
from makima.services.access.contract_lookup import RESERVED, ContractId, ContractLookup, parse_contract_id
from makima.services.access.rbac import Rbac
from makima.services.refusals import Refused
from tests.support.fakes import START, FakeCluster
from tests.support.people import FakeContractHistory, FakeReviews, a_row, somebody

ANN, BOB = somebody("ann"), somebody("bob")
GONE = UUID(int=77)


@dataclass
class World:
    """One living contract `work` and a gone one `old`, both in `ns`, where Ann may read."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    history: FakeContractHistory = field(default_factory=FakeContractHistory)
    reviews: FakeReviews = field(default_factory=FakeReviews)

    def __post_init__(self) -> None:
        self.lookup = ContractLookup(self.cluster, self.history, Rbac(self.reviews))
        self.work = UUID(self.cluster.create("work", {})["metadata"]["uid"])
        self.history.add(a_row(self.work, "work"))
        self.history.add(a_row(GONE, "old", deleted_at=START))
        self.reviews.grant("ann", "ns", "get")


async def refused(world: World, who: object, address: ContractId) -> tuple[Code, str]:
    with pytest.raises(Refused) as error:
        await world.lookup.find(who, address)  # type: ignore[arg-type]
    return error.value.problem.code, error.value.problem.message


GOOD = {
    "7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11": ContractId(UUID("7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11")),
    "7D1D1FD6-3C1C-4A52-9D4A-0B6F8A4F2C11": ContractId(UUID("7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11")),
    "ns:work": ContractId(namespace="ns", name="work"),
    "ns:a.b-c": ContractId(namespace="ns", name="a.b-c"),
}
BAD = ("", ":", "ns:", ":work", "work", "ns:Work", "n.s:work", "ns:work:more", "ns:../x", "ns:work\n")
BAD += ("7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c1", "n" * 64 + ":work", "ns:" + "w" * 254, "ns/work", "ns:wörk", "\0")


@pytest.mark.parametrize("text", GOOD)
def test_addresses_are_uids_or_names(text: str) -> None:
    assert parse_contract_id(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_everything_else_is_refused_with_what_it_should_be(text: str) -> None:
    with pytest.raises(Refused) as error:
        parse_contract_id(text)
    assert (error.value.problem.code, error.value.problem.field) == (Code.VALIDATION_FAILED, "id")


@pytest.mark.parametrize("text", sorted(RESERVED))
def test_what_has_a_path_of_its_own_is_no_id_also_where_it_is_switched_off(text: str) -> None:
    with pytest.raises(Refused) as error:
        parse_contract_id(text)
    assert error.value.problem.code is Code.NOT_FOUND


@given(st.text(max_size=400))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        found = parse_contract_id(text)
    except Refused:
        return
    assert parse_contract_id(str(found)) == found


@pytest.mark.parametrize("by_uid", [True, False])
async def test_a_living_contract_is_read_from_the_cluster(by_uid: bool) -> None:
    world = World()
    address = ContractId(world.work) if by_uid else ContractId(namespace="ns", name="work")
    found = await world.lookup.find(ANN, address)
    assert (found.uid, found.namespace, found.name) == (world.work, "ns", "work")
    assert found.live()["metadata"]["name"] == "work"


@pytest.mark.parametrize("by_uid", [True, False])
async def test_a_contract_that_is_gone_is_found_in_the_history(by_uid: bool) -> None:
    world = World()
    found = await world.lookup.find(ANN, ContractId(GONE) if by_uid else ContractId(namespace="ns", name="old"))
    assert found.body is None and found.row is not None and found.uid == GONE
    with pytest.raises(Refused) as error:
        found.live()
    assert error.value.problem.code is Code.CONTRACT_NOT_FOUND
    assert f"{GONE}/events" in (error.value.problem.hint or "")


async def test_a_name_means_the_newest_contract_that_had_it_and_a_uid_its_own() -> None:
    world = World()
    newer = UUID(int=78)
    world.history.add(a_row(newer, "old", created_at=START + timedelta(hours=1)))
    assert (await world.lookup.find(ANN, ContractId(namespace="ns", name="old"))).uid == newer
    again = UUID(world.cluster.create("old", {})["metadata"]["uid"])
    assert (await world.lookup.find(ANN, ContractId(namespace="ns", name="old"))).uid == again
    assert (await world.lookup.find(ANN, ContractId(GONE))).body is None


async def test_a_uid_of_elsewhere_is_answered_like_one_that_never_was() -> None:
    world, never = World(), uuid4()
    hidden, missing = await refused(world, BOB, ContractId(world.work)), await refused(world, BOB, ContractId(never))
    assert hidden[0] is missing[0] is Code.CONTRACT_NOT_FOUND
    assert hidden[1].replace(str(world.work), "X") == missing[1].replace(str(never), "X")


async def test_a_name_of_elsewhere_is_forbidden_whether_there_is_one_or_not() -> None:
    world = World()
    there = await refused(world, BOB, ContractId(namespace="ns", name="work"))
    missing = await refused(world, BOB, ContractId(namespace="ns", name="nope"))
    assert there[0] is missing[0] is Code.FORBIDDEN


async def test_a_contract_seen_once_is_found_by_its_uid_before_the_projection_has_it() -> None:
    world = World()
    fresh = UUID(world.cluster.create("fresh", {})["metadata"]["uid"])
    assert (await refused(world, ANN, ContractId(fresh)))[0] is Code.CONTRACT_NOT_FOUND
    await world.lookup.find(ANN, ContractId(namespace="ns", name="fresh"))
    world.history.away = True
    assert (await world.lookup.find(ANN, ContractId(fresh))).name == "fresh"
    assert (await refused(world, BOB, ContractId(fresh)))[0] is Code.CONTRACT_NOT_FOUND


async def test_without_postgres_names_work_and_unknown_uids_do_not() -> None:
    world = World()
    world.history.away = True
    assert (await world.lookup.find(ANN, ContractId(namespace="ns", name="work"))).uid == world.work
    with pytest.raises(HistoryUnavailable):
        await world.lookup.find(ANN, ContractId(GONE))
