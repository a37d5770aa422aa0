"""What the watches saw. Only `on.event`: kopf's other handlers put annotations and finalizers on every object."""

from __future__ import annotations

from typing import Any

import kopf

from makima.handlers.process import operator_in
from makima.models.markers import API_GROUP, API_VERSION


@kopf.on.event(API_GROUP, API_VERSION, "contracts")
async def contract_seen(event: Any, memo: kopf.Memo, **_: Any) -> None:
    """A contract was listed, added, changed or deleted."""
    operator_in(memo).see_contract(event["type"], event["object"])


@kopf.on.event(API_GROUP, API_VERSION, "contracttypes")
async def contract_type_seen(event: Any, memo: kopf.Memo, **_: Any) -> None:
    """A ContractType was listed, added, changed or deleted."""
    operator_in(memo).see_contract_type(event["type"], event["object"])
