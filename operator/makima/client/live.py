"""The monitor's events from the Kubernetes API alone, for when makima's API can't be reached."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from makima.client.cluster import Cluster, JsonObject
from makima.client.following import Change, Changed, Gone, Listed, Lost, Topic, follow_all
from makima.client.readable import contract_in, supervisor_in
from makima.client.stream import Filter, Frame
from makima.domain.monitor.seen_changes import contract_changes, contract_gone, supervisor_changes
from makima.models.contract import Contract
from makima.models.supervisor import Supervisor


async def watched(cluster: Cluster, places: Sequence[str | None], wanted: Filter) -> AsyncGenerator[Frame, None]:
    """Frames as the stream's, without sequence numbers; what happened in between two looks is not in them.

    Args:
        places: namespaces; None = all of them.

    Raises:
        Denied: this person may not watch contracts there; supervisors are left out where they may not be seen.
    """
    seen = Seen(wanted)
    topics = {(plural, place): dict[str, str]() for plural in ("contracts", "supervisors") for place in places}
    changes = follow_all(cluster, topics, spare=("supervisors",))
    async with aclosing(changes):
        async for topic, change in changes:
            for frame in seen.frames(topic, change, datetime.now(UTC)):
                yield frame


class Seen:
    """What was seen last, and what became of it."""

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted
        self._contracts: dict[str, Contract] = {}
        self._supervisors: dict[tuple[str, str], Supervisor] = {}
        self._listed: set[Topic] = set()

    def frames(self, topic: Topic, change: Change, at: datetime) -> Iterator[Frame]:
        """The frames of one change that are wanted."""
        if isinstance(change, Lost):
            yield {"type": "Reconnecting", "reason": change.why, "seconds": change.seconds}
            return
        found = self._contract(topic, change, at) if topic[0] == "contracts" else self._supervisor(change, at)
        yield from (frame for frame in found if self._is_wanted(frame))

    def _contract(self, topic: Topic, change: Listed | Changed | Gone, at: datetime) -> Iterator[Frame]:
        first = isinstance(change, Listed) and topic not in self._listed
        if isinstance(change, Listed):
            self._listed.add(topic)
            there = {body["metadata"]["uid"] for body in change.bodies}
            for uid in self._missing(topic[1], there):
                yield contract_gone(self._contracts.pop(uid), at)
        for body in _bodies(change):
            contract = contract_in(body)
            if contract is None:
                continue
            before = self._contracts.get(contract.metadata.uid)
            if isinstance(change, Gone):
                self._contracts.pop(contract.metadata.uid, None)
                yield contract_gone(contract, at)
                continue
            self._contracts[contract.metadata.uid] = contract
            if not first:
                yield from contract_changes(before, contract, at)

    def _missing(self, place: str | None, there: set[str]) -> list[str]:
        known = self._contracts.items()
        return [uid for uid, item in known if uid not in there and place in (None, item.metadata.namespace)]

    def _supervisor(self, change: Listed | Changed | Gone, at: datetime) -> Iterator[Frame]:
        for body in _bodies(change):
            key = (body["metadata"]["namespace"], body["metadata"]["name"])
            before = self._supervisors.pop(key, None)
            if isinstance(change, Gone):
                continue
            after = supervisor_in(body)
            if after is None:
                continue
            self._supervisors[key] = after
            owner = next((item for item in after.metadata.owner_references if item.kind == "Contract"), None)
            yield from supervisor_changes(before, after, owner.uid if owner is not None else self._uid(key), at)

    def _uid(self, key: tuple[str, str]) -> str:
        named = (item.metadata for item in self._contracts.values())
        return next((meta.uid for meta in named if (meta.namespace, meta.name) == key), "")

    def _is_wanted(self, frame: Frame) -> bool:
        wanted, uid = self._wanted, frame["contract_id"]
        if wanted.contract_ids and uid not in wanted.contract_ids:
            return False
        if wanted.namespaces and frame["namespace"] not in wanted.namespaces:
            return False
        if frame["type"] == "Heartbeat" and not wanted.include_heartbeats:
            return False
        if frame["type"] == "StaleDetected" and not wanted.include_stale:
            return False
        return not wanted.statuses or bool(set(wanted.statuses) & self._statuses(frame))

    def _statuses(self, frame: Frame) -> set[str]:
        contract = self._contracts.get(frame["contract_id"])
        now = contract.status.state.snake if contract is not None and contract.status is not None else None
        return {str(word) for word in (now, frame.get("old_status"), frame.get("new_status")) if word}


def _bodies(change: Listed | Changed | Gone) -> tuple[JsonObject, ...]:
    return change.bodies if isinstance(change, Listed) else (change.body,)
