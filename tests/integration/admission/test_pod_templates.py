"""Pod templates come only from somebody who could run such a pod: the operator is nobody's deputy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from makima.adapters.kubernetes.connection import Connection
from tests.support.kube import (
    MAY_CREATE_PODS,
    POD,
    Attempt,
    Body,
    Cast,
    Person,
    an_object,
    assert_create_refused,
    assert_refused,
    bind,
    contract,
    give,
    make_role,
)

AS_ROBOT: Body = {**POD, "serviceAccountName": "robot"}
PODS: Mapping[str, Body] = {
    "a supervisor's template": {"supervisor": {"template": POD}},
    "a task's template": {"taskTemplates": [{"name": "build", "template": POD}]},
    "a workspace": {"workspace": {"claimName": "disk"}},
    "a workspace to make": {"workspace": {"volumeClaim": {"size": "1Gi"}}},
    "all of them": {
        "supervisor": {"template": POD},
        "taskTemplates": [{"name": "build", "template": POD}],
        "workspace": {},
    },
}
NO_PODS = ("right to create pods",)


@pytest.mark.parametrize("what", PODS)
async def test_no_contract_gets_a_pod_from_somebody_who_may_not_create_pods(people: Cast, what: str) -> None:
    creators = (people.editor, people.confirmer)
    await assert_create_refused(contract(**PODS[what]), "UNAUTHORIZED", creators, *NO_PODS)
    await people.accepted()

    async def merge(who: Person, body: Body) -> None:
        await who.patch_spec(**PODS[what])

    async def put(who: Person, body: Body) -> None:
        await who.replace({**body, "spec": {**body["spec"], **PODS[what]}})

    for way in (merge, put):
        attempt = Attempt(f"{what} ({way.__name__})", way, "UNAUTHORIZED", NO_PODS)
        await assert_refused(attempt, people.three)


CHANGES: Mapping[str, Body] = {
    "another image": {"supervisor": {"template": {"containers": [{"name": "agent", "image": "evil:1"}]}}},
    "a second container": {
        "supervisor": {"template": {"containers": [*POD["containers"], {"name": "b", "image": "b"}]}}
    },
    "another account": {"supervisor": {"template": {"serviceAccountName": "robot"}}},
    "another task": {"taskTemplates": [{"name": "build", "template": POD}, {"name": "more", "template": POD}]},
    "a task under another name": {"taskTemplates": [{"name": "other", "template": POD}]},
    "another disk": {"workspace": {"claimName": "other"}},
    "another place for the disk": {"workspace": {"mountPath": "/etc"}},
}


@pytest.mark.parametrize("what", CHANGES)
async def test_what_runs_is_not_changed_by_somebody_who_may_not_create_pods(
    people: Cast, runner: Person, what: str
) -> None:
    wanted = {**PODS["all of them"], "workspace": {"claimName": "disk"}}
    await runner.create(contract(**wanted))

    async def write(who: Person, body: Body) -> None:
        await who.patch_spec(**CHANGES[what])

    await assert_refused(Attempt(what, write, "UNAUTHORIZED", NO_PODS), people.three)


async def test_who_may_not_create_pods_may_still_change_the_rest_and_take_pods_away(
    people: Cast, runner: Person
) -> None:
    await runner.create(contract(**PODS["all of them"]))
    for who in people.three:
        stored = await who.patch_spec(description=f"by {who}", supervisor={"heartbeatPeriodSeconds": 60})
        assert stored["spec"]["supervisor"]["template"]["containers"][0]["image"] == "example.com/agent:1"
        await who.replace({**stored, "spec": {**stored["spec"], "suspend": True}})
    stored = await people.editor.patch_spec(supervisor=None, taskTemplates=None, workspace=None)
    assert not {"supervisor", "taskTemplates", "workspace"} & set(stored["spec"])


async def test_who_may_create_pods_may_give_a_contract_one(runner: Person) -> None:
    for number, what in enumerate(PODS):
        if what != "a workspace to make":
            await runner.create(contract(f"work-{number}", **PODS[what]))


async def test_a_claim_is_made_only_for_somebody_who_may_make_one(admin: Connection, runner: Person) -> None:
    body = contract(**PODS["a workspace to make"])
    await assert_create_refused(body, "UNAUTHORIZED", (runner,), "right to create persistentvolumeclaims")
    await give(admin, runner, "create", "persistentvolumeclaims")
    await runner.create(body)


ACCOUNTS: Mapping[str, Body] = {
    "supervisor": {"supervisor": {"template": AS_ROBOT}},
    "task": {"taskTemplates": [{"name": "a", "template": POD}, {"name": "b", "template": AS_ROBOT}]},
    "last task": {
        "supervisor": {"template": POD},
        "taskTemplates": [{"name": name, "template": {**POD, "serviceAccountName": f"ok-{name}"}} for name in "abc"]
        + [{"name": "d", "template": AS_ROBOT}],
    },
    "all five": {
        "supervisor": {"template": {**POD, "serviceAccountName": "ok-s"}},
        "taskTemplates": [{"name": name, "template": {**POD, "serviceAccountName": f"ok-{name}"}} for name in "abc"]
        + [{"name": "d", "template": AS_ROBOT}],
    },
}


@pytest.mark.parametrize("what", ACCOUNTS)
@pytest.mark.parametrize("verb", ["use", "impersonate"])
async def test_an_account_is_given_to_a_pod_only_by_somebody_who_may_use_it(
    admin: Connection, people: Cast, runner: Person, what: str, verb: str
) -> None:
    await give(admin, runner, "use", "serviceaccounts", "ok-a", "ok-b", "ok-c", "ok-s", "other")
    body = contract(**ACCOUNTS[what])
    await assert_create_refused(body, "UNAUTHORIZED", (runner,), "needs the verb use", "robot")
    await give(admin, runner, verb, "serviceaccounts", "robot")
    await runner.create(body)


async def test_the_default_account_is_everybodys(runner: Person) -> None:
    await runner.create(contract(supervisor={"template": {**POD, "serviceAccountName": "default"}}))


async def test_the_right_to_use_an_account_is_not_the_right_to_create_pods(admin: Connection, people: Cast) -> None:
    for who in people.three:
        await give(admin, who, "use", "serviceaccounts", "robot")
    await people.accepted()
    attempt = Attempt("robot", lambda who, body: who.patch_spec(**ACCOUNTS["supervisor"]), "UNAUTHORIZED", NO_PODS)
    await assert_refused(attempt, people.three)


def a_supervisor(**spec: Any) -> Body:
    return an_object("Supervisor", "work", spec)


async def test_a_supervisor_gets_a_pod_only_from_somebody_who_may_create_it(
    admin: Connection, people: Cast, runner: Person
) -> None:
    unable = (people.editor, people.confirmer, people.supervisor)
    await assert_create_refused(a_supervisor(template=POD), "UNAUTHORIZED", unable, *NO_PODS)
    await assert_create_refused(a_supervisor(template=AS_ROBOT), "UNAUTHORIZED", (runner,), "verb use", "robot")
    await runner.create(a_supervisor(template=POD))

    async def change(who: Person, body: Body) -> None:
        await who.patch({"spec": {"template": {"terminationGracePeriodSeconds": 5}}}, plural="supervisors")

    attempt = Attempt("change", change, "UNAUTHORIZED", NO_PODS)
    await assert_refused(attempt, people.three, plural="supervisors")
    for who in unable:
        await who.patch({"spec": {"suspend": True}}, plural="supervisors")


async def test_who_propagates_templates_of_contracts_needs_no_right_of_its_own_to_create_pods(
    admin: Connection, people: Cast
) -> None:
    who = people.supervisor
    propagate = {"apiGroups": ["makima.dev"], "resources": ["supervisors"], "verbs": ["propagate"]}
    await make_role(admin, people.namespace, "propagate", propagate)
    await bind(admin, who, "propagate", ("propagate", "makima.dev", "supervisors"), kind="Role")
    assert not await who.may(MAY_CREATE_PODS)
    await who.create(a_supervisor(template=AS_ROBOT))
