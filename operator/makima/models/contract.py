"""Contract: one piece of long-running work, carried through phases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from makima.models.condition import Condition
from makima.models.contract_spec import ContractSpec
from makima.models.contract_status import ContractStatus
from makima.models.markers import Column, Model, NotInSchema, ResourceNames
from makima.models.metadata import Metadata


class Contract(Model):
    """One piece of long-running work: phases with deliverables and gates, carried by a supervisor."""

    __resource__: ClassVar[ResourceNames] = ResourceNames(
        kind="Contract",
        plural="contracts",
        singular="contract",
        short=("ct",),
        columns=(
            Column("Type", ".spec.type", description="Type of the contract."),
            Column("State", ".status.state", description="Where it stands."),
            Column("Phase", ".status.phase", description="Current phase."),
            Column("Step", ".status.phaseProgress", description="Number of the phase, of how many."),
            Column("Waiting for", ".status.waitingFor", description="What it waits for."),
            Column("Last activity", ".status.lastActivityTime", type="date"),
            Column("Age", ".metadata.creationTimestamp", type="date"),
            Column("Supervisor", ".status.supervisorRef.name", priority=1),
            Column("Restarts", ".status.supervisorRef.restarts", type="integer", priority=1),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
        ),
        selectable=(".status.state", ".status.phase", ".spec.type"),
    )

    metadata: Metadata
    early_conditions: Annotated[tuple[Condition, ...], NotInSchema()] = ()
    spec: ContractSpec = Field(default_factory=ContractSpec, description="What people want.")
    status: ContractStatus | None = Field(None, description="What is; written by makima.")

    @classmethod
    def from_object(cls, body: Mapping[str, Any]) -> Contract:
        """The contract in a Kubernetes object. A status without a state is one that was not accepted yet.

        Raises:
            pydantic.ValidationError: the object is none that the CRD's rules would have let in.
        """
        status = body.get("status") or {}
        if status.get("state"):
            return cls.model_validate(body)
        return cls.model_validate({**body, "status": None, "earlyConditions": status.get("conditions") or ()})
