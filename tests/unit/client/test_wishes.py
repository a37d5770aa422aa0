"""Wishes of a person at a command line, when somebody else is faster."""

from __future__ import annotations

from typing import Any, cast

import pytest

from makima.client.cluster import Cluster
from makima.client.wishes import ATTEMPTS, Wishes
from makima.errors import Conflict, Denied
from tests.support.rest_world import RestWorld

FASTER: list[Exception] = [Conflict("changed"), Denied("Duplicate value", status=422, grown=True)]


class Overtaken:
    """A cluster in which somebody reports the same just before the first write, which is refused."""

    def __init__(self, error: Exception, *, helps: bool = True) -> None:
        self.world, self.error, self.helps, self.refused = RestWorld(), error, helps, 0
        self.world.contract(deliverables=[])

    async def get(self, plural: str, namespace: str, name: str) -> Any:
        return self.world.cluster.objects[namespace, name]

    async def patch(self, plural: str, namespace: str, name: str, steps: list[Any], *, dry_run: bool = False) -> Any:
        self.refused += 1
        if self.helps:
            self.world.cluster.patch_spec(name, {"deliverables": [steps[-1]["value"]]})
        raise self.error


def wishes(cluster: Overtaken) -> Wishes:
    return Wishes(cast("Cluster", cluster), "ns", "work")


@pytest.mark.parametrize("error", FASTER, ids=lambda error: type(error).__name__)
async def test_what_somebody_else_gave_meanwhile_is_not_given_again(error: Exception) -> None:
    cluster = Overtaken(error)
    found = await wishes(cluster).deliver("plan-document")
    assert [one.id for one in found.spec.deliverables] == ["plan-document"] and cluster.refused == 1


@pytest.mark.parametrize(("error", "attempts"), [(FASTER[0], ATTEMPTS), (FASTER[1], ATTEMPTS), (Denied("no"), 1)])
async def test_a_refusal_stays_one(error: Exception, attempts: int) -> None:
    cluster = Overtaken(error, helps=False)
    with pytest.raises(type(error)):
        await wishes(cluster).deliver("plan-document")
    assert cluster.refused == attempts
