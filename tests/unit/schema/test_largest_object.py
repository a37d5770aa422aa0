"""The largest permitted object fits into one request to etcd, and the models read it."""

from __future__ import annotations

import pytest

from makima.models import bounds
from makima.models.contract import Contract
from makima.models.contract_type import ContractType
from makima.models.markers import Model
from makima.models.supervisor import Supervisor
from makima.schema.crds import root_schema
from tests.support.largest_object import ALLOWANCE, ETCD_REQUEST_LIMIT, largest, size_of

KINDS: dict[str, type[Model]] = {"Contract": Contract, "ContractType": ContractType, "Supervisor": Supervisor}


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_object_fits_with_what_kubernetes_adds(kind: str) -> None:
    assert size_of(largest(kind)) <= ETCD_REQUEST_LIMIT - ALLOWANCE


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_read_the_largest_object(kind: str) -> None:
    body = {"metadata": {"name": "work"}, **largest(kind)}
    read = KINDS[kind].model_validate(body)
    written = read.model_dump(mode="json", by_alias=True, exclude_none=True)
    for part in ("spec", "status"):
        assert not _lost(body.get(part, {}), written.get(part, {}), part)


def _lost(whole: object, kept: object, path: str) -> list[str]:
    """Where something that the schema permits is not in the models."""
    if isinstance(whole, dict):
        assert isinstance(kept, dict), path
        missing = [f"{path}.{name}" for name in whole if name not in kept]
        return missing + [
            one for name in whole if name in kept for one in _lost(whole[name], kept[name], f"{path}.{name}")
        ]
    if isinstance(whole, list):
        assert isinstance(kept, list), path
        assert len(whole) == len(kept), path
        return [one for a, b in zip(whole, kept, strict=True) for one in _lost(a, b, f"{path}[]")]
    return []


def test_the_largest_contract_is_filled_to_its_bounds() -> None:
    """Or the sum above would say nothing."""
    whole = largest("Contract")
    spec, status = whole["spec"], whole["status"]
    assert len(spec["phases"]) == len(status["phases"]) == bounds.PHASES
    assert len(status["phases"][0]["deliverables"]) == bounds.DELIVERABLES_PER_PHASE
    assert len(spec["deliverables"]) == len(status["deliverables"]) == bounds.DELIVERABLES
    assert len(status["tasks"]) == bounds.TASKS
    assert len(status["questions"]) == bounds.QUESTIONS
    assert len(spec["answers"]) == bounds.ANSWERS
    assert len(status["transitions"]) == bounds.TRANSITIONS
    assert len(spec["taskTemplates"]) == bounds.TASK_TEMPLATES
    assert len(spec["description"]) == 8192


def test_every_field_of_the_schema_is_in_the_largest_contract_but_those_that_exclude_each_other() -> None:
    schema = root_schema(Contract)
    whole = largest("Contract")
    for part in ("spec", "status"):
        assert set(schema["properties"][part]["properties"]) == set(whole[part])


def test_as_many_deliverables_can_be_reported_as_phases_can_have() -> None:
    assert bounds.DELIVERABLES == bounds.PHASES * bounds.DELIVERABLES_PER_PHASE
