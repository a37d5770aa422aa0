"""Which rules a model class and its fields have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from makima.models.contract import Contract
from makima.models.contract_spec import Answer, ContractSpec
from makima.models.contract_status import ContractStatus
from makima.models.contract_type import ContractType, ContractTypeSpec
from makima.models.gate import Phase, TaskRequirement, Validator
from makima.models.markers import Model, Rule
from makima.models.supervisor import Supervisor, SupervisorSettings, SupervisorSpec, SupervisorStatus
from makima.schema.rules import contract, contract_type, supervisor, text

RULES: Mapping[type[Model], tuple[Rule, ...]] = MappingProxyType(
    {
        Contract: contract.CONTRACT,
        ContractSpec: contract.CONTRACT_SPEC,
        ContractStatus: contract.CONTRACT_STATUS,
        Phase: contract_type.PHASE,
        TaskRequirement: contract_type.TASK_REQUIREMENT,
        Validator: contract_type.VALIDATOR,
        ContractType: contract_type.CONTRACT_TYPE,
        Supervisor: supervisor.SUPERVISOR,
        SupervisorSettings: supervisor.SUPERVISOR_SETTINGS,
        SupervisorSpec: supervisor.SUPERVISOR_SETTINGS,
        SupervisorStatus: supervisor.SUPERVISOR_STATUS,
    }
)


FIELD_RULES: Mapping[tuple[type[Model], str], tuple[Rule, ...]] = MappingProxyType(
    {
        (Answer, "answer"): text.free_text("an answer"),
        (ContractSpec, "description"): text.free_text("spec.description"),
        (ContractSpec, "suspend_reason"): text.free_text("spec.suspendReason"),
        (ContractTypeSpec, "description"): text.free_text("spec.description"),
        (ContractTypeSpec, "phases"): contract_type.PHASES,
        (ContractSpec, "type"): contract.SPEC_TYPE,
        (ContractSpec, "phases"): contract.SPEC_PHASES,
        (ContractStatus, "state"): contract.transition_rules(),
        (ContractStatus, "phases"): contract.STATUS_PHASES,
        (ContractStatus, "version"): contract.STATUS_VERSION,
        (ContractStatus, "recorded_version"): contract.STATUS_RECORDED_VERSION,
        (SupervisorStatus, "incarnation"): supervisor.SUPERVISOR_INCARNATION,
    }
)
"""Rules on one field, by its name in Python; one with `oldSelf` holds where both values are there."""


def rules_of(model: type[Model]) -> tuple[Rule, ...]:
    """Every rule on values of this model: those of the class itself first."""
    own: tuple[Rule, ...] = getattr(model, "__rules__", ())
    return own + RULES.get(model, ())


def rules_of_field(model: type[Model], name: str) -> tuple[Rule, ...]:
    """Every rule on the value of this field, beside those that the field itself is marked with."""
    return FIELD_RULES.get((model, name), ())
