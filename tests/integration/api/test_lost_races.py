"""Somebody else was faster: what was decided by is no longer so when it is written, on a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from makima.adapters.kubernetes.as_caller import KubernetesAsCaller
from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.contracts import KubernetesCluster, path_of
from makima.domain.settings import Settings
from makima.models.credential import Credential
from makima.models.enums import ContractState
from makima.models.wire.problem import Code, Problem
from makima.models.wire.wishes import AnswerQuestion, ChangeStatus, ReportDeliverable
from makima.sandbox import Sandbox
from makima.services.access.contract_lookup import ContractId, ContractLookup, Located
from makima.services.access.person import Person
from makima.services.reads.readiness import ReadinessChecks
from makima.services.refusals import Refused
from makima.services.wishes.contract_inputs import ContractInputs
from makima.services.wishes.contract_wishes import ContractWishes
from makima.services.wishes.hand import Hand
from makima.services.wishes.settling import Settling
from tests.support.api_process import ApiUnderTest, CallerOf, token_of
from tests.support.carried_world import CarriedWorld
from tests.support.fakes import FakeClock, FakeValidators
from tests.support.kube import Body
from tests.support.people import FakeContractHistory, FakeReviews, rights, somebody

PLAN, ANSWER = ReportDeliverable(id="plan-document"), AnswerQuestion(answer="because")
MERGE = "application/merge-patch+json"
QUESTION = UUID(int=7)


@dataclass(frozen=True)
class Seat:
    """Ann, who may edit, in front of the use cases: what she read may be old when she writes."""

    world: CarriedWorld
    ann: Person
    lookup: ContractLookup
    wishes: ContractWishes
    inputs: ContractInputs

    async def read(self) -> Located:
        """The contract, as it is now."""
        return await self.lookup.find(self.ann.identity, ContractId(namespace=self.world.namespace, name="work"))

    async def meanwhile(self, spec: Body) -> Body:
        """Somebody else changes the spec, and the operator takes it up."""
        path = path_of("contracts", self.world.namespace, "work")
        await self.world.admin.request("PATCH", path, body={"spec": spec}, content_type=MERGE)
        return await self.world.drive("work")

    async def told(self, **fields: object) -> None:
        """The operator writes these fields of the status."""
        path = path_of("contracts", self.world.namespace, "work", "status")
        body = await self.world.get("work")
        await self.world.admin.request("PUT", path, body={**body, "status": {**body["status"], **fields}})


@pytest.fixture
async def editor(world: CarriedWorld) -> str:
    """A token for the API server, of somebody who may edit."""
    await world.account("editor", "makima-edit")
    return await token_of(world.admin, world.namespace, "editor", audience="")


@pytest.fixture
async def seat(installed_cluster: Sandbox, world: CarriedWorld, editor: str) -> AsyncIterator[Seat]:
    """With a contract `work`, which nobody carries."""
    await world.contract("work")
    hands = KubernetesAsCaller(await load_configuration(installed_cluster.cluster.kubeconfig))
    reviews, cluster, clock = FakeReviews(), KubernetesCluster(world.admin), FakeClock()
    reviews.grant("ann", world.namespace, "get")
    lookup = ContractLookup(cluster, FakeContractHistory(), rights(reviews).rbac)
    checks = ReadinessChecks(FakeValidators(clock), Settings(), clock)
    hand, settling = Hand(hands, lookup), Settling(cluster)
    wishes, inputs = ContractWishes(hand, settling, lookup, checks), ContractInputs(hand, settling, checks)
    yield Seat(world, Person(somebody("ann"), Credential(editor)), lookup, wishes, inputs)
    await hands.close()


def archived(version: int | None) -> ChangeStatus:
    return ChangeStatus(status=ContractState.ARCHIVED, expected_version=version)


async def test_a_status_for_a_version_that_is_over_meanwhile_is_not_written(seat: Seat) -> None:
    read = await seat.read()
    now = await seat.meanwhile({"suspend": True})
    with pytest.raises(Refused) as refused:
        await seat.wishes.status(seat.ann, read, archived(1), 0)
    problem = refused.value.problem
    assert problem.code is Code.VERSION_CONFLICT
    assert problem.details == {"expected": 1, "actual": 2, "current_phase": now["status"]["phase"]}
    assert not (await seat.world.get("work"))["spec"]["archived"]


async def test_a_status_for_any_version_is_decided_anew(seat: Seat) -> None:
    read = await seat.read()
    await seat.meanwhile({"suspend": True, "suspendReason": "lunch"})
    assert (await seat.wishes.status(seat.ann, read, archived(None), 0)).changed
    assert (await seat.world.get("work"))["spec"]["archived"]


async def test_a_contract_that_was_made_anew_is_not_taken_for_the_one_that_was_read(seat: Seat) -> None:
    read = await seat.read()
    await seat.world.admin.request("DELETE", path_of("contracts", seat.world.namespace, "work"))
    await seat.world.contract("work")
    attempts = {
        "deliverable": seat.inputs.deliverable(seat.ann, read, PLAN, 0),
        "status": seat.wishes.status(seat.ann, read, archived(1), 0),
        "auto-complete": seat.wishes.auto_complete(seat.ann, read, enabled=False),
        "delete": seat.wishes.delete(seat.ann, read, 1),
    }
    found = {name: (await _refusal(attempt)).code for name, attempt in attempts.items()}
    assert found == dict.fromkeys(attempts, Code.CONTRACT_NOT_FOUND)
    assert (await seat.world.get("work"))["spec"]["deliverables"] == []


async def _refusal(attempt: object) -> Problem:
    with pytest.raises(Refused) as refused:
        await attempt  # type: ignore[misc]  # an awaitable of any answer
    return refused.value.problem


async def test_what_was_given_meanwhile_is_not_given_twice(seat: Seat) -> None:
    question = {"id": str(QUESTION), "question": "why?", "type": "free-text", "phase": "plan"}
    asked = {**question, "askedTime": (await seat.world.status("work"))["stateChangedTime"]}
    await seat.told(questions=[asked])
    read = await seat.read()
    delivered = [(await seat.inputs.deliverable(seat.ann, read, PLAN, 0)).changed for _ in range(2)]
    answered = [(await seat.inputs.answer(seat.ann, read, QUESTION, ANSWER, 0)).changed for _ in range(2)]
    assert (delivered, answered) == ([True, False], [True, False])
    other = AnswerQuestion(answer="why not")
    assert (await _refusal(seat.inputs.answer(seat.ann, read, QUESTION, other, 0))).code is Code.CONFLICT


async def test_a_sign_of_life_does_not_keep_a_contract_from_being_deleted(seat: Seat) -> None:
    read = await seat.read()
    await seat.told(waitingFor="a sign of life")
    assert (await seat.wishes.delete(seat.ann, read, 1)).deleted


async def test_a_contract_of_another_version_is_not_deleted(seat: Seat) -> None:
    read = await seat.read()
    await seat.meanwhile({"suspend": True})
    problem = await _refusal(seat.wishes.delete(seat.ann, read, 1))
    assert (problem.code, problem.details["actual"]) == (Code.VERSION_CONFLICT, 2)
    assert await seat.world.get("work")


async def test_the_same_by_many_at_once_is_done_once(seat: Seat, api: ApiUnderTest, editor: str) -> None:
    caller = CallerOf(seat.world.http, api.url, editor)
    path = f"/api/v1/contracts/{seat.world.namespace}:work/deliverables?wait=0"
    calls = [caller.call("POST", path, {"id": "plan-document", "uri": f"https://x/{uuid4()}"}) for _ in range(8)]
    answers = await asyncio.gather(*calls)
    assert {status for status, _ in answers} <= {200, 202}, answers
    assert sorted(answer["changed"] for _, answer in answers) == [False] * 7 + [True]
