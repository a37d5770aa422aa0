"""A clean-up archives what it saw finished, and nothing that was taken up again or made anew since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from makima.client.wishes import NotPossible, Wishes
from makima.errors import Conflict
from makima.models.enums import ContractState
from tests.support.builders import accepted, an_id, with_status

LOST = Conflict("the object has been modified")


class Cluster:
    """Gives these states, one after the other; refuses the first patches if it is told to."""

    def __init__(self, *states: ContractState, refused: int = 0) -> None:
        self._states: Iterator[ContractState] = iter(states)
        self._refused, self.reads, self.patched = refused, 0, list[Any]()

    async def get(self, *_: Any) -> dict[str, Any]:
        self.reads += 1
        contract = with_status(accepted(), state=next(self._states))
        body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {**body, "metadata": {**body["metadata"], "uid": an_id(1), "resourceVersion": str(self.reads)}}

    async def patch(self, plural: str, namespace: str, name: str, steps: list[Any], *, dry_run: bool) -> dict[str, Any]:
        if self._refused:
            self._refused -= 1
            raise LOST
        self.patched.append((plural, steps))
        return with_status(accepted()).model_dump(mode="json", by_alias=True, exclude_none=True)


def steps(version: str) -> list[Any]:
    return [
        {"op": "test", "path": "/metadata/uid", "value": an_id(1)},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        {"op": "add", "path": "/spec/archived", "value": True},
    ]


@pytest.mark.parametrize("state", [ContractState.COMPLETED, ContractState.FAILED])
async def test_what_is_finished_is_archived_as_it_was_seen(state: ContractState) -> None:
    cluster = Cluster(state)
    await Wishes(cluster, "ns", "a").archive_finished(an_id(1))  # type: ignore[arg-type]
    assert cluster.patched == [("contracts", steps("1"))]


@pytest.mark.parametrize(("state", "uid"), [(ContractState.ACTIVE, an_id(1)), (ContractState.COMPLETED, an_id(2))])
async def test_what_was_taken_up_again_or_made_anew_is_left_alone(state: ContractState, uid: str) -> None:
    cluster = Cluster(state)
    with pytest.raises(NotPossible, match="not finished any more"):
        await Wishes(cluster, "ns", "a").archive_finished(uid)  # type: ignore[arg-type]
    assert cluster.patched == []


async def test_what_changes_meanwhile_is_looked_at_again() -> None:
    cluster = Cluster(ContractState.FAILED, ContractState.ACTIVE, refused=1)
    with pytest.raises(NotPossible):
        await Wishes(cluster, "ns", "a").archive_finished(an_id(1))  # type: ignore[arg-type]
    assert cluster.reads == 2 and cluster.patched == []
