"""From a contract's `spec.supervisor` to the Supervisor of its name, and keeping that as the contract says."""

from __future__ import annotations

from typing import Any

from makima.domain.supervision.heartbeat_times import HeartbeatTimes, filled_in, heartbeat_times
from makima.domain.supervision.pod_manifest import owner_reference
from makima.models.contract import Contract
from makima.models.labels import CONTRACT_LABEL, MANAGED_BY
from makima.models.markers import API_GROUP, API_VERSION
from makima.models.supervisor import Supervisor, SupervisorSettings, SupervisorSpec

Manifest = dict[str, Any]


def supervisor_manifest(contract: Contract, heartbeats: HeartbeatTimes) -> Manifest | None:
    """The Supervisor to make, with `heartbeats` where the contract leaves them out.

    None = the contract asks for none, and an external one is registered by hand.
    """
    settings, meta = contract.spec.supervisor, contract.metadata
    if settings is None:
        return None
    return {
        "apiVersion": f"{API_GROUP}/{API_VERSION}",
        "kind": "Supervisor",
        "metadata": {
            "name": meta.name,
            "namespace": meta.namespace,
            "labels": {**MANAGED_BY, CONTRACT_LABEL: meta.name},
            "ownerReferences": [owner_reference("Contract", meta)],
        },
        "spec": _dumped(filled_in(settings, heartbeats)),
    }


def made_from(supervisor: Supervisor, contract: Contract) -> bool:
    """Whether the operator made it from this very contract; one that somebody applied keeps all that it says."""
    return any(
        owner.controller and owner.uid == contract.metadata.uid for owner in supervisor.metadata.owner_references
    )


def changed_spec(supervisor: Supervisor, contract: Contract, heartbeats: HeartbeatTimes) -> Manifest | None:
    """The spec that the Supervisor should have by now; None = it has it. `suspend` is the Supervisor's own.

    What nobody says stays as it was filled in: a supervisor that runs was told so, and keeps to it.
    """
    own, wanted = supervisor.spec, _said(supervisor, contract)
    wanted = filled_in(wanted, heartbeat_times(own, heartbeats))
    return None if wanted == own else _dumped(wanted)


def _said(supervisor: Supervisor, contract: Contract) -> SupervisorSpec:
    settings = contract.spec.supervisor
    if settings is None or not made_from(supervisor, contract):
        return supervisor.spec
    said = {name: getattr(settings, name) for name in SupervisorSettings.model_fields}
    return supervisor.spec.model_copy(update=said)


def _dumped(settings: SupervisorSettings) -> Manifest:
    return settings.model_dump(mode="json", by_alias=True, exclude_none=True)
