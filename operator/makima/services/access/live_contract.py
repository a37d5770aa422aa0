"""A contract as a call finds it: readable by this version of makima, and accepted by the operator."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.ports import JsonObject
from makima.services.refusals import Refused, unavailable

log = logging.getLogger(__name__)


def contract_in(body: JsonObject) -> Contract:
    """The contract in an object.

    Raises:
        Refused: UNAVAILABLE, this version of makima can't read it.
    """
    try:
        return Contract.from_object(body)
    except ValidationError:
        log.exception("contract %s/%s: unreadable", body["metadata"]["namespace"], body["metadata"]["name"])
        raise unavailable("the contract can't be read by this version of makima", 30) from None


def accepted(contract: Contract) -> ContractStatus:
    """The status.

    Raises:
        Refused: UNAVAILABLE, there is none yet.
    """
    if contract.status is not None:
        return contract.status
    said = next((one.message for one in contract.early_conditions if one.type == "Ready"), "")
    found = unavailable(f"the contract is not accepted yet{': ' + said if said else ''}", 1)
    hint = "try again in a second; look at the contract's condition Ready"
    raise Refused(found.problem.model_copy(update={"hint": hint}), 1)
