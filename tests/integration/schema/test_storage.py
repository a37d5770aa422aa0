"""What can be stored: the largest permitted objects, every field that makima writes, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from makima.adapters.kubernetes.contracts import KubernetesCluster
from makima.models import bounds
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.supervisor import Supervisor
from makima.services.status_write import write_refusal, write_status
from tests.support.kube import (
    Attempt,
    Body,
    Cast,
    Person,
    an_object,
    assert_create_refused,
    assert_refused,
    changed,
    contract,
    refusal,
    without_bookkeeping,
)
from tests.support.largest_object import largest, size_of

# aiohttp warns of bodies above a megabyte; that they get through is what is tried here.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")

OUTBOX = bounds.TRANSITIONS
LARGE = 1024 * 1024
"""Bytes; the largest contract is above, so a test that shrank it by mistake would show."""


def consistent(status: Body) -> Body:
    """The largest first status that also says the truth: Created, version 1, first phase."""
    status = copy.deepcopy(status)
    phase = status["phases"][0]["name"]
    status["deliverables"] = of_phases(status["deliverables"], status["phases"])
    status |= {"state": "Created", "version": 1, "phase": phase, "recordedVersion": 0}
    first = status["transitions"][0]
    status["transitions"] = [first | {"version": 1, "toState": "Created", "toPhase": phase}]
    return status


def of_phases(entries: list[Body], phases: list[Body]) -> list[Body]:
    """The entries, named like the deliverables of these phases."""
    known = [(item["name"], one["id"]) for item in phases for one in item["deliverables"]]
    return [
        {**entry, "phase": phase, "id": identifier} for entry, (phase, identifier) in zip(entries, known, strict=True)
    ]


async def test_the_largest_contract_is_stored_and_written_on(people: Cast, root: Person) -> None:
    """Filled up in the order in which a contract fills up: phases, outbox, spec, and the last status write."""
    whole = largest("Contract")
    spec, status = whole["spec"], whole["status"]
    await people.editor.create(contract(phases=spec["phases"]))
    stored = await with_full_outbox(people, status)

    moments = {key: spec.pop(key) for key in ("advance", "retry", "restartSupervisor")}
    spec["deliverables"] = of_phases(spec["deliverables"], spec["phases"])
    advance = moments["advance"] | {"to": spec["phases"][1]["name"], "expectedVersion": OUTBOX - 1, "confirmed": False}
    restart = {"expectedIncarnation": 1}
    await root.patch_spec(**{**spec, "type": "simple", "advance": advance, "restartSupervisor": restart})

    body = await people.operator.get()
    kept = {key: stored["status"][key] for key in ("state", "phase", "phases", "version", "transitions")}
    last = {**status, **kept, "version": OUTBOX, "deliverables": of_phases(status["deliverables"], spec["phases"])}
    last["transitions"] = [*kept["transitions"], as_entry(status, OUTBOX, kept["state"])]
    stored = await people.operator.put_status({**body, "status": last | {"recordedVersion": 1}})
    assert size_of(without_bookkeeping(stored)) > LARGE

    stored["status"]["waitingFor"] = "ま" * 1024
    await people.operator.put_status(stored)
    assert (await people.editor.patch_spec(suspend=True))["spec"]["suspend"] is True
    moved = await people.operator.put_status(drop_first(changed(await people.operator.get(), state="Paused")))
    assert moved["status"]["version"] == OUTBOX + 1


async def with_full_outbox(people: Cast, status: Body) -> Body:
    """A contract with room for one more transition, all of them as large as they may be."""
    body = await people.operator.get()
    first = consistent(status)
    small = ("state", "phase", "version", "phases", "stateChangedTime", "lastActivityTime", "transitions")
    stored = await people.operator.put_status({**body, "status": {key: first[key] for key in small}})
    for version in range(2, OUTBOX):
        state = "Active" if version % 2 == 0 else "Blocked"
        new = changed(stored, state=state)
        new["status"]["transitions"][-1] = as_entry(status, version, state)
        stored = await people.operator.put_status(new)
    return stored


def as_entry(status: Body, version: int, state: str) -> Body:
    entry: Body = status["transitions"][version - 1]
    return entry | {"version": version, "toState": state, "toPhase": status["phases"][0]["name"]}


def drop_first(body: Body) -> Body:
    """Without the transition that is recorded, as the operator does when it needs room."""
    return {**body, "status": body["status"] | {"transitions": body["status"]["transitions"][1:]}}


async def test_an_outbox_holds_no_more_than_it_may(people: Cast) -> None:
    await people.accepted()
    states = [{"state": "Active" if number % 2 == 0 else "Blocked"} for number in range(63)]
    await people.moved(*states)

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, state="Blocked" if body["status"]["state"] == "Active" else "Active"))

    await assert_refused(Attempt("the 65th", write, "", ("must have at most 64 items",)), people.everyone)


async def test_the_largest_contract_type_is_stored(root: Person) -> None:
    stored = await root.create(an_object("ContractType", "largest", largest("ContractType")["spec"]))
    stored = await root.patch({"spec": {"description": "ま" * 8192}}, "largest", "contracttypes")
    assert len(stored["spec"]["phases"]) == 12


async def test_the_largest_supervisor_is_stored_and_filled_up(root: Person) -> None:
    whole = largest("Supervisor")
    stored = await root.create(an_object("Supervisor", "largest", whole["spec"]))
    stored = await root.put_status({**stored, "status": whole["status"]})
    assert stored["status"] == whole["status"]


# Nothing that makima writes is pruned


def a_full_status() -> ContractStatus:
    """Every field of the status set, made from the largest status that the schema permits."""
    status = consistent(largest("Contract")["status"])
    return ContractStatus.model_validate(status)


def set_fields(model: Any) -> None:
    """Every field of every model in it has a value: or a field that is pruned would not be noticed."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if (type(model).__name__, name) in {("Validator", "http"), ("TaskRequirement", "min")}:
            continue  # they exclude others, and are tried elsewhere
        assert value not in (None, ()), f"{type(model).__name__}.{name} is not set"
        for item in value if isinstance(value, tuple) else (value,):
            if hasattr(type(item), "model_fields"):
                set_fields(item)


async def test_every_field_of_a_status_comes_back_as_it_was_written(people: Cast) -> None:
    status = a_full_status()
    set_fields(status)
    body = await people.editor.create(contract(phases=largest("Contract")["spec"]["phases"]))
    cluster = KubernetesCluster(people.operator.connection)
    answered = await write_status(cluster, body, status)
    stored = await people.editor.get()
    assert Contract.from_object(stored).status == status == Contract.from_object(answered).status
    assert stored["status"] == status.model_dump(mode="json", by_alias=True, exclude_none=True)


async def test_why_a_contract_was_not_accepted_comes_back_as_it_was_written(people: Cast) -> None:
    body = await people.editor.create(contract(type="unheard-of"))
    conditions = a_full_status().conditions
    await write_refusal(KubernetesCluster(people.operator.connection), body, conditions)
    stored = Contract.from_object(await people.editor.get())
    assert stored.status is None
    assert stored.early_conditions == conditions


async def test_every_field_of_a_supervisors_status_comes_back_as_it_was_written(root: Person) -> None:
    body = await root.create(an_object("Supervisor", "work", {}))
    status = largest("Supervisor")["status"]
    parsed = Supervisor.model_validate({**body, "status": status}).status
    assert parsed is not None
    set_fields(parsed)
    written = parsed.model_dump(mode="json", by_alias=True, exclude_none=True)
    stored = await root.put_status({**body, "status": written})
    assert stored["status"] == written
    assert Supervisor.model_validate(stored).status == parsed


async def test_moments_keep_their_microseconds(people: Cast) -> None:
    body = await people.accepted()
    moment = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
    written = moment.isoformat().replace("+00:00", "Z")
    await people.operator.put_status(changed(body, version=1, lastActivityTime=written))
    stored = Contract.from_object(await people.editor.get())
    assert stored.status is not None
    assert stored.status.last_activity_time == moment


async def test_a_contract_says_what_is_in_force_where_nothing_was_said(people: Cast) -> None:
    stored = await people.editor.create(contract())
    assert stored["spec"] == {
        "type": "simple",
        "phaseGuard": False,
        "autoComplete": True,
        "suspend": False,
        "archived": False,
        "deliverables": [],
        "answers": [],
    }
    bare = {key: value for key, value in contract("bare").items() if key != "spec"}
    assert (await people.editor.create(bare))["spec"] == stored["spec"]


# Nothing else is stored


UNKNOWN: Mapping[str, Body] = {
    "at the top": {"priority": 1},
    "in a request": {"retry": {"expectedVersion": 1, "now": True}},
    "in a phase": {"phases": [{"name": "plan", "deliverable": []}]},
    "in a gate": {"phases": [{"name": "plan", "gate": {"autoadvance": True}}]},
    "in a pod": {"supervisor": {"template": {"containers": [{"name": "a", "image": "a", "lifecycle": {}}]}}},
}


@pytest.mark.parametrize("what", UNKNOWN)
async def test_an_unknown_field_is_refused_where_validation_is_strict(people: Cast, what: str) -> None:
    for who in (people.editor, people.confirmer):
        error = await refusal(who.create(contract(**UNKNOWN[what]), fieldValidation="Strict"))
        assert "unknown field" in str(error)
        assert str(error).count("spec.") >= 1


async def test_an_unknown_field_is_not_stored_where_it_is_not(people: Cast) -> None:
    stored = await people.editor.create(contract(priority=1), fieldValidation="Ignore")
    assert "priority" not in stored["spec"]


BOUNDS: Mapping[str, tuple[Body, str]] = {
    "a description of a megabyte": ({"description": "a" * 1024 * 1024}, "spec.description: Too long"),
    "a description one character too long": ({"description": "ま" * 8193}, "spec.description: Too long"),
    "a reason too long": ({"suspendReason": "a" * 1025}, "spec.suspendReason: Too long"),
    "a deliverable too many": (
        {"deliverables": [{"phase": "plan", "id": f"a{number}"} for number in range(97)]},
        "spec.deliverables: Too many",
    ),
    "an answer too many": (
        {"answers": [{"questionId": f"00000000-0000-4000-8000-{number:012}", "answer": "yes"} for number in range(17)]},
        "spec.answers: Too many",
    ),
    "no seconds": ({"staleAfterSeconds": 0}, "spec.staleAfterSeconds"),
    "a century": ({"progressDeadlineSeconds": 31536001}, "spec.progressDeadlineSeconds"),
    "seconds with a fraction": ({"staleAfterSeconds": 1.5}, "spec.staleAfterSeconds"),
    "a number in words": ({"staleAfterSeconds": "60"}, "spec.staleAfterSeconds"),
    "a yes in words": ({"suspend": "true"}, "spec.suspend"),
    "a digest that is none": (
        {"deliverables": [{"phase": "plan", "id": "plan-document", "digest": "sha256:short"}]},
        "spec.deliverables[0].digest",
    ),
    "an address with spaces": (
        {"deliverables": [{"phase": "plan", "id": "plan-document", "uri": "my file"}]},
        "spec.deliverables[0].uri",
    ),
    "a question that is none": ({"answers": [{"questionId": "first", "answer": "yes"}]}, "spec.answers[0].questionId"),
}


@pytest.mark.parametrize("what", BOUNDS)
async def test_what_is_too_much_or_no_value_is_refused_and_the_field_is_named(people: Cast, what: str) -> None:
    spec, says = BOUNDS[what]
    for who in (people.editor, people.confirmer):
        error = await refusal(who.create(contract(**spec)))
        assert says in str(error)
        assert len(str(error)) < 4096, "a refusal does not send the megabyte back"
    assert (await people.editor.connection.request("GET", people.editor.path("contracts")))["items"] == []


CONTROL = {"NUL": "\x00", "escape": "\x1b", "bell": "\x07", "delete": "\x7f"}
TEXTS: Mapping[str, Body] = {
    "description": {"description": "a{}b"},
    "reason": {"suspendReason": "a{}b"},
    "uri": {"deliverables": [{"phase": "plan", "id": "plan-document", "uri": "a{}b"}]},
    "answer": {"answers": [{"questionId": "00000000-0000-4000-8000-000000000001", "answer": "a{}b"}]},
    "deliverable's name": {"phases": [{"name": "plan", "deliverables": [{"id": "map", "name": "a{}b"}]}]},
}


FREE_TEXTS = {"description": "spec.description", "reason": "spec.suspendReason", "answer": "an answer"}
"""What people write at length: the refusal has the plan's code and says why."""


@pytest.mark.parametrize("sign", CONTROL)
@pytest.mark.parametrize("field", TEXTS)
async def test_what_postgres_can_not_store_or_a_terminal_obeys_is_refused(people: Cast, field: str, sign: str) -> None:
    spec = _put(TEXTS[field], CONTROL[sign])
    free = FREE_TEXTS.get(field)
    code, says = ("VALIDATION_FAILED", f"{free} has no NUL") if free else ("", "should match")
    await assert_create_refused(contract(**spec), code, (people.editor, people.confirmer), says)


def _put(value: Any, sign: str) -> Any:
    """The value with `sign` in place of {}."""
    if isinstance(value, dict):
        return {key: _put(item, sign) for key, item in value.items()}
    if isinstance(value, list):
        return [_put(item, sign) for item in value]
    return value.replace("{}", sign)


@pytest.mark.parametrize("sign", CONTROL)
async def test_a_status_holds_no_control_characters_either(people: Cast, sign: str) -> None:
    await people.accepted()

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, version=1, waitingFor=f"a{CONTROL[sign]}b"))

    await assert_refused(Attempt(sign, write, "", ("status.waitingFor", "should match")), people.everyone)


async def test_words_of_every_script_and_several_lines_are_texts_like_any_other(people: Cast) -> None:
    text = "Überprüfen\r\n\tその1 🚀 — <b>&amp;</b> \u2028 \u200f"
    stored = await people.editor.create(contract(description=text, suspendReason=text))
    assert stored["spec"]["description"] == stored["spec"]["suspendReason"] == text
