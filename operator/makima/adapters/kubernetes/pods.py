"""`makima.ports.Pods` on the real API server."""

from __future__ import annotations

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.objects import Objects
from makima.errors import Conflict, Denied
from makima.models.labels import ROLE_LABEL, SUPERVISOR_ROLE
from makima.ports import JsonObject

SELECTOR = f"{ROLE_LABEL}={SUPERVISOR_ROLE}"


class KubernetesPods:
    """Pods of supervisors. `namespaces` limits what is listed; empty = all."""

    def __init__(self, connection: Connection, namespaces: tuple[str, ...] = ()) -> None:
        self._objects, self._namespaces = Objects(connection, "/api/v1", "pods"), namespaces

    async def create_pod(self, body: JsonObject) -> JsonObject:
        """Make the pod of a life; the one that is there already, if it was made for the same life.

        The labels tell: a policy (makima-operator-pods) lets nobody but the operator set them.
        """
        meta = body["metadata"]
        for _ in range(2):
            try:
                return await self._objects.create(body)
            except Conflict as error:
                found = await self._objects.get(meta["namespace"], meta["name"])
                if found is not None:
                    return _same_life(found, body, error)
        raise Conflict(f"pod {meta['namespace']}/{meta['name']} comes and goes")

    async def delete_pod(self, namespace: str, name: str, uid: str, *, at_once: bool = False) -> None:
        """Delete exactly this pod."""
        await self._objects.delete(namespace, name, uid, at_once=at_once)

    async def pod(self, namespace: str, name: str) -> JsonObject | None:
        """The pod as it is now."""
        return await self._objects.get(namespace, name)

    async def list_pods(self) -> list[JsonObject]:
        """Every pod of a supervisor."""
        return [item async for item in self._objects.every(self._namespaces, SELECTOR)]


def _same_life(found: JsonObject, wanted: JsonObject, error: Conflict) -> JsonObject:
    there, mine = found["metadata"], wanted["metadata"]
    labels = there.get("labels") or {}
    same = all(labels.get(key) == value for key, value in mine["labels"].items())
    owners = {owner["uid"] for owner in there.get("ownerReferences") or ()}
    if same and mine["ownerReferences"][0]["uid"] in owners:
        return found
    raise Denied(
        f"there is another pod of the name {mine['name']}: {error.message}",
        "delete it; names of pods that end in the number of a life are the supervisor's",
    )
