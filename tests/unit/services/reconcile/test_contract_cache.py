"""What is kept of a contract between looks."""

from __future__ import annotations

import copy

from makima.ports import JsonObject
from makima.services.reconcile.contract_cache import ContractCache
from makima.services.status_write import KEPT_METADATA

OWNERS = [
    {"manager": "ann", "fieldsV1": {"f:spec": {"f:deliverables": {'k:{"id":"a","phase":"p"}': {}}}}},
    {"manager": "makima-operator", "subresource": "status", "fieldsV1": {"f:status": {"f:state": {}}}},
]


def a_body(version: int) -> JsonObject:
    """A contract with fields that no version of makima knows."""
    meta = {"name": "a", "namespace": "ns", "uid": "u", "resourceVersion": str(version), "managedFields": OWNERS}
    return {"kind": "Contract", "metadata": meta, "spec": {"new": {"x": [1]}}, "status": {"newer": 2}, "newest": 3}


def test_all_of_a_contract_is_kept_but_managed_fields_that_nobody_reads() -> None:
    cache, seen = ContractCache(), a_body(1)
    before = copy.deepcopy(seen)
    entry = cache.see(seen)
    assert entry is not None
    for body in (seen, a_body(2)):
        entry.take(body)
        expected = copy.deepcopy(body)
        expected["metadata"]["managedFields"] = OWNERS[:1]
        assert entry.body == expected
    assert seen == before, "what somebody else may hold is not changed"


def test_an_answer_that_is_older_than_what_the_watch_saw_is_not_taken() -> None:
    cache = ContractCache()
    entry = cache.see(a_body(10))
    assert entry is not None
    assert cache.see(a_body(12)) is entry
    entry.take(a_body(11))
    assert entry.version == 12
    assert entry.body["metadata"]["resourceVersion"] == "12"
    assert cache.see(a_body(12)) is None


def test_what_is_not_kept_whole_is_never_written_back() -> None:
    assert "managedFields" not in KEPT_METADATA
