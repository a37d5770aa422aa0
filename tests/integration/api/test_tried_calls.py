"""Calls made up from the OpenAPI document: many against the application in front of fakes, some against a process."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator

import pytest
from schemathesis.core.failures import FailureGroup

from makima.http.app import framework
from makima.http.reference import document
from tests.support.api_process import AUDIENCE, OF_THE_API_SERVER, ApiUnderTest, token_of
from tests.support.carried_world import CarriedWorld
from tests.support.rest_world import RestWorld
from tests.support.tried_api import LAST, operations_of, reads_of_one, served, try_operation

FAKED = framework(RestWorld().use).openapi()
WHOLE = document()
KNOWN = {"id": "ns:work"}
EXAMPLES, FEW = 8, 4


@pytest.fixture(scope="module")
def faked() -> RestWorld:
    """One contract under way, and whoever comes may do everything."""
    found = RestWorld()
    found.reviews.grant("connie", "", "get", "list", "create", "patch", "delete", "confirm")
    found.contract(answers=[], deliverables=[])
    found.history.add(found.row())
    return found


@pytest.fixture(scope="module")
def url(faked: RestWorld) -> Iterator[str]:
    """Where it is served."""
    with served(faked.app) as address:
        yield address


@pytest.mark.parametrize("operation", operations_of(FAKED))
def test_no_call_gets_an_answer_that_the_document_does_not_know(faked: RestWorld, url: str, operation: str) -> None:
    if ("ns", "work") not in faked.cluster.objects:
        faked.contract(answers=[], deliverables=[])
    answered = try_operation(FAKED, operation, url, "connie", KNOWN, examples=EXAMPLES)
    assert answered.total() >= EXAMPLES


def test_an_answer_that_the_document_does_not_know_is_found(faked: RestWorld, url: str) -> None:
    wrong = copy.deepcopy(FAKED)
    wrong["components"]["schemas"]["HistoryPage"]["properties"]["next_after"] = {"type": "string"}
    with pytest.raises(FailureGroup):
        try_operation(wrong, "list_events", url, "connie", KNOWN, examples=EXAMPLES)


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)  # it makes calls of every operation, one after the other
async def test_the_same_holds_for_a_process(world: CarriedWorld, api: ApiUnderTest) -> None:
    await world.account("admin", "makima-admin", "makima-supervise")
    token = await token_of(world.admin, world.namespace, "admin", audience=(AUDIENCE, OF_THE_API_SERVER))
    uid = await world.contract("work", supervisor={})
    await world.caller(api, token).good("POST", "/api/v1/supervisors/register", world.registration("work"))
    known = {"id": f"{world.namespace}:work", "contract_id": str(uid)}
    answered = {
        operation: await asyncio.to_thread(try_operation, WHOLE, operation, api.url, token, known, examples=FEW)
        for operation in operations_of(WHOLE)
    }
    assert all(statuses.total() >= 2 for statuses in answered.values())
    assert {name for name, statuses in answered.items() if 200 in statuses} >= {*reads_of_one(WHOLE), LAST}
    assert "Traceback" not in api.log.read_text()
