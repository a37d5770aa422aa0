"""Events of contracts with certain labels, as the API server tells which have them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from makima.client import labelled as module
from makima.client.cluster import Cluster
from makima.client.labelled import labelled
from makima.errors import ClusterUnavailable, Denied

Body = dict[str, Any]
LABELS = "team=a"


def a_body(uid: str) -> Body:
    return {"metadata": {"uid": uid, "name": uid, "namespace": "ns", "resourceVersion": "1"}}


def about(uid: str, number: int = 1) -> Body:
    return {"type": "PhaseChanged", "contract_id": uid, "namespace": "ns", "name": uid, "seq": number}


class PlayedCluster(Cluster):
    """Which contracts have the labels; the watch tells what it is told to.

    Attributes:
        asked: names of contracts that were asked for.
        away: so many calls find nobody.
    """

    def __init__(self, *have: str) -> None:
        self.have, self.asked, self.away = set(have), list[str](), 0
        self.told: asyncio.Queue[Body] = asyncio.Queue()

    async def page(
        self, plural: str, namespace: str | None, *, selector: str = "", fields: str = "", token: str = ""
    ) -> Body:
        assert (plural, namespace, selector) == ("contracts", "ns", LABELS)
        if fields:
            if self.away:
                self.away -= 1
                raise ClusterUnavailable("nobody answers")
            self.asked.append(fields.removeprefix("metadata.name="))
        found = [uid for uid in sorted(self.have) if not fields or fields == f"metadata.name={uid}"]
        return {"items": [a_body(uid) for uid in found], "metadata": {"resourceVersion": "1"}}

    async def watch(
        self, plural: str, namespace: str | None, version: str, *, selector: str = "", fields: str = ""
    ) -> AsyncGenerator[Body, None]:
        while True:
            yield await self.told.get()


class Flow:
    """The frames that come, one by one, and which of them are told."""

    def __init__(self, cluster: PlayedCluster) -> None:
        self._frames: asyncio.Queue[Body] = asyncio.Queue()
        self.told = labelled(cluster, LABELS, ("ns",), self._coming())

    async def _coming(self) -> AsyncGenerator[Body, None]:
        while True:
            yield await self._frames.get()

    async def tells(self, *frames: Body) -> list[str]:
        """Contracts of those of them that are told."""
        for frame in (*frames, {"type": "Subscribed"}):
            self._frames.put_nowait(frame)
        found = []
        async with asyncio.timeout(10):
            async for frame in self.told:
                if frame["type"] == "Subscribed":
                    return found
                found.append(frame["contract_id"])
        raise AssertionError("it ended")


async def test_only_contracts_with_the_labels_are_told_of_and_each_other_is_asked_for_once() -> None:
    cluster = PlayedCluster("mine")
    flow = Flow(cluster)
    async with aclosing(flow.told):
        assert await flow.tells(about("mine"), about("other"), about("other"), about("mine")) == ["mine", "mine"]
        assert cluster.asked.count("other") == 1


async def test_labels_that_come_and_go_count_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = PlayedCluster()
    flow = Flow(cluster)

    async def happens(kind: str, uid: str) -> None:
        cluster.told.put_nowait({"type": kind, "object": a_body(uid)})
        await flow.tells()
        while not cluster.told.empty():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        await flow.tells()

    async with aclosing(flow.told):
        assert await flow.tells(about("work")) == []
        await happens("MODIFIED", "work")
        assert await flow.tells(about("work")) == ["work"]
        await happens("DELETED", "work")
        assert await flow.tells(about("work")) == ["work"], "its last events may come after its deletion"
        monkeypatch.setattr(module, "LINGER", 0.0)
        await happens("MODIFIED", "again")
        await happens("DELETED", "again")
        assert await flow.tells(about("again")) == []


async def test_a_contract_that_is_new_is_asked_for_before_the_watch_tells_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT", 0.01)
    cluster = PlayedCluster()
    flow = Flow(cluster)
    async with aclosing(flow.told):
        await flow.tells()
        cluster.have, cluster.away = {"new"}, 2
        assert await flow.tells(about("new")) == ["new"], "although nobody answered twice"


async def test_who_may_not_list_contracts_is_told_so() -> None:
    class Closed(PlayedCluster):
        async def page(self, *_: Any, **__: Any) -> Body:
            raise Denied("contracts.makima.dev is forbidden", status=403)

    flow = Flow(Closed())
    async with aclosing(flow.told):
        with pytest.raises(Denied):
            await flow.tells(about("work"))
