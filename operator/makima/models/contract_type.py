"""ContractType: a named, reusable list of phases, chosen by `Contract.spec.type`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from makima.models.bounds import Text
from makima.models.gate import PhaseList
from makima.models.markers import Column, Model, ResourceNames
from makima.models.metadata import Metadata


class ContractTypeSpec(Model):
    """What a type of contract consists of."""

    description: Text | None = Field(None, description="What this type of contract is for. Default: none.")
    phases: PhaseList = Field(
        description="The phases in their order. A contract takes a snapshot when it is accepted: later edits and "
        "deletion of the type touch new contracts only."
    )


class ContractType(Model):
    """Named phases with deliverables and gates. Running contracts keep the phases they were accepted with."""

    __resource__: ClassVar[ResourceNames] = ResourceNames(
        kind="ContractType",
        plural="contracttypes",
        singular="contracttype",
        short=("ctype",),
        columns=(
            Column("Phases", ".spec.phases[*].name", description="Names of the phases."),
            Column("Age", ".metadata.creationTimestamp", type="date"),
        ),
    )

    metadata: Metadata
    spec: ContractTypeSpec
