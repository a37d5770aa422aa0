"""The one way a status is written, of contracts and of supervisors: whole, resourceVersion and UID as preconditions.

This is the plan's `FOR UPDATE` on Kubernetes: whoever lost the race reads again and decides again (design, "Who
writes what").
"""

from __future__ import annotations

from typing import Any

from makima.models.condition import Condition
from makima.models.contract_status import ContractStatus
from makima.models.supervisor import SupervisorStatus
from makima.ports import Cluster, JsonObject, StatusWriter

KEPT_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
)


async def write_status(cluster: Cluster, body: JsonObject, status: ContractStatus) -> JsonObject:
    """Replace the status of the contract in `body`, unless somebody changed the contract since.

    Returns:
        The contract as the API server stored it.

    Raises:
        makima.errors.ClusterError: see `makima.ports.Cluster.write_status`.
    """
    dumped = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return await _put(cluster, body, keep_spelling(body.get("status") or {}, dumped))


def keep_spelling(before: JsonObject, dumped: JsonObject) -> JsonObject:
    """The new status, with what must not change exactly as it stands in the stored one.

    Policies compare the phases and the recorded transitions as they are written. Another version of makima may have
    left out, or added, a field with its default: read and written again, the same value would look like a change.
    """
    spelled = {entry.get("version"): entry for entry in before.get("transitions", [])}
    kept = {"transitions": [spelled.get(entry["version"], entry) for entry in dumped["transitions"]]}
    if before.get("phases"):
        kept["phases"] = before["phases"]
    return {**dumped, **kept}


async def write_refusal(cluster: Cluster, body: JsonObject, conditions: tuple[Condition, ...]) -> JsonObject:
    """Write the conditions of a contract that was not accepted."""
    dumped = [condition.model_dump(mode="json", by_alias=True) for condition in conditions]
    generation = body["metadata"].get("generation", 0)
    return await _put(cluster, body, {"conditions": dumped, "observedGeneration": generation})


async def write_supervisor_status(writer: StatusWriter, body: JsonObject, status: SupervisorStatus) -> JsonObject:
    """Replace the status of the Supervisor in `body`, unless somebody changed it since.

    Returns:
        The Supervisor as the API server stored it.

    Raises:
        makima.errors.ClusterError: see `makima.ports.Cluster.write_status`.
    """
    return await _put(writer, body, status.model_dump(mode="json", by_alias=True, exclude_none=True))


async def _put(writer: StatusWriter, body: JsonObject, status: dict[str, Any]) -> JsonObject:
    metadata = {key: value for key, value in body["metadata"].items() if key in KEPT_METADATA}
    return await writer.write_status({**body, "metadata": metadata, "status": status})
