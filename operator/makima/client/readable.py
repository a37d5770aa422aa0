"""Objects of the cluster, as far as this version of makima can read them: one of a later version is left out."""

from __future__ import annotations

from pydantic import ValidationError

from makima.client.cluster import JsonObject
from makima.models.contract import Contract
from makima.models.supervisor import Supervisor


def contract_in(body: JsonObject) -> Contract | None:
    """The contract in an object; None if it can't be read."""
    try:
        return Contract.from_object(body)
    except ValidationError:
        return None


def supervisor_in(body: JsonObject) -> Supervisor | None:
    """The supervisor in an object; None if it can't be read."""
    try:
        return Supervisor.model_validate(body)
    except ValidationError:
        return None
