"""A supervisor belongs to the contract of its own name."""

from __future__ import annotations

import pytest

from makima.adapters.kubernetes.connection import Connection
from tests.support.kube import Attempt, Body, Cast, Person, an_object, assert_create_refused, assert_refused

LABEL = "makima.dev/contract"


def owner(name: str, kind: str = "Contract", group: str = "makima.dev/v1alpha1") -> Body:
    uid = "11111111-1111-4111-8111-111111111111"
    return {"apiVersion": group, "kind": kind, "name": name, "uid": uid}


async def test_a_supervisor_has_the_name_of_the_contract_that_owns_it(people: Cast) -> None:
    body = an_object("Supervisor", "work", {}, ownerReferences=[owner("work"), owner("other")])
    says = ("a supervisor has the name of its contract, other",)
    await assert_create_refused(body, "VALIDATION_FAILED", people.three, *says)

    await people.supervisor.create(an_object("Supervisor", "work", {}))

    async def adopt(who: Person, body: Body) -> None:
        await who.patch({"metadata": {"ownerReferences": [owner("other")]}}, plural="supervisors")

    await assert_refused(Attempt("adopt", adopt, "VALIDATION_FAILED", says), people.three, plural="supervisors")


async def test_a_supervisor_has_the_name_that_its_label_says(people: Cast) -> None:
    body = an_object("Supervisor", "work", {}, labels={LABEL: "other"})
    says = ("and so has its label makima.dev/contract",)
    await assert_create_refused(body, "VALIDATION_FAILED", people.three, *says)

    await people.supervisor.create(an_object("Supervisor", "work", {}, labels={LABEL: "work"}))

    async def relabel(who: Person, body: Body) -> None:
        await who.patch({"metadata": {"labels": {LABEL: "other"}}}, plural="supervisors")

    await assert_refused(Attempt("relabel", relabel, "VALIDATION_FAILED", says), people.three, plural="supervisors")


async def test_owners_that_are_no_contracts_are_nobodys_business(people: Cast) -> None:
    owners = [owner("work"), owner("something", "Deployment", "apps/v1"), owner("theirs", "Contract", "law.example/v1")]
    await people.supervisor.create(an_object("Supervisor", "work", {}, ownerReferences=owners))


async def test_a_supervisor_has_a_name_that_fits_in_a_label(people: Cast) -> None:
    body = an_object("Supervisor", "a" * 64, {})
    await assert_create_refused(body, "VALIDATION_FAILED", people.three, "at most 63 characters")
    await people.supervisor.create(an_object("Supervisor", "a" * 63, {}))


BAD_SPECS: dict[str, tuple[Body, str]] = {
    "no exit codes": ({"restart": {"rules": [{"action": "Restart", "exitCodes": []}]}}, "at least 1 items"),
    "an exit code that there is not": ({"restart": {"rules": [{"action": "Ignore", "exitCodes": [256]}]}}, "255"),
    "an action that there is not": (
        {"restart": {"rules": [{"action": "Explode", "exitCodes": [1]}]}},
        "Unsupported value",
    ),
    "a negative budget": ({"restart": {"maxRestarts": -1}}, "greater than or equal to 0"),
    "waiting in another way": ({"whileWaiting": "keep"}, "Unsupported value"),
}


@pytest.mark.parametrize("what", BAD_SPECS)
async def test_settings_that_can_not_be_meant_so_are_refused(people: Cast, what: str) -> None:
    spec, says = BAD_SPECS[what]
    await assert_create_refused(an_object("Supervisor", "work", spec), "", people.three, says)


BAD_PODS: dict[str, tuple[Body, str]] = {
    "no containers": ({"containers": []}, "at least 1 items"),
    "two values for a variable": (
        {
            "containers": [
                {
                    "name": "a",
                    "image": "a",
                    "env": [{"name": "A", "value": "a", "secretKeyRef": {"name": "s", "key": "k"}}],
                }
            ]
        },
        "at most one of value, secretKeyRef and configMapKeyRef",
    ),
    "a volume of two kinds": (
        {"containers": [{"name": "a", "image": "a"}], "volumes": [{"name": "v", "secret": "s", "configMap": "c"}]},
        "exactly one of",
    ),
    "a volume of no kind": (
        {"containers": [{"name": "a", "image": "a"}], "volumes": [{"name": "v"}]},
        "exactly one of",
    ),
    "a novel on the command line": (
        {"containers": [{"name": "a", "image": "a", "args": ["a" * 512] * 9}]},
        "at most 4096 bytes together",
    ),
    "root": ({"containers": [{"name": "a", "image": "a"}], "runAsUser": 0}, "greater than or equal to 1"),
    "a long label key": (
        {"containers": [{"name": "a", "image": "a"}], "nodeSelector": {"a" * 254: "b"}},
        "a key has at most 253 characters",
    ),
}


@pytest.mark.parametrize("what", BAD_PODS)
async def test_a_template_that_can_not_be_meant_so_is_refused_even_to_an_administrator(
    admin: Connection, people: Cast, what: str
) -> None:
    template, says = BAD_PODS[what]
    root = Person("admin", "admin", admin, people.namespace)
    body = an_object("Supervisor", "work", {"template": template})
    code = "VALIDATION_FAILED" if says.startswith(("at most", "exactly", "a key")) else ""
    await assert_create_refused(body, code, (root,), says)


async def test_no_template_asks_for_privileges(admin: Connection, people: Cast) -> None:
    """What the curated template does not have is not stored, and under strict validation not taken."""
    root = Person("admin", "admin", admin, people.namespace)
    container = {"name": "a", "image": "a", "securityContext": {"privileged": True}}
    body = an_object("Supervisor", "work", {"template": {"containers": [container], "hostNetwork": True}})
    stored = await root.create(body)
    assert "hostNetwork" not in stored["spec"]["template"]
    assert "securityContext" not in stored["spec"]["template"]["containers"][0]
