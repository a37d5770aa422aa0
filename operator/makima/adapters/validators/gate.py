"""`makima.ports.Validators`: asks whichever validator a gate has, and turns whatever happens into a verdict."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from makima.adapters.validators.answer import Answer, ValidatorFailed, one_line
from makima.adapters.validators.cel import CelWorker, variables_of
from makima.adapters.validators.http import ApiServer, call, resolve, time_limit
from makima.domain.reconcile.validation import Question, Verdict
from makima.models.enums import FailurePolicy
from makima.models.gate import HttpValidator, Validator
from makima.ports import JsonObject

MOST_CEL_SECONDS = 2
"""Expressions take their turns in one process: one that needs longer would keep all others waiting."""

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class GateValidators:
    """CEL in a process of its own, HTTP to a Service of the contract's namespace."""

    def __init__(self, connection: ApiServer, now: Callable[[], datetime] = utc_now) -> None:
        self._api, self._now = connection, now
        self._cel = CelWorker()

    async def ask(self, question: Question, contract: JsonObject) -> Verdict:
        """The verdict; an error or a time-out is a verdict too. Never raises."""
        try:
            answer = await self._answer(question, _shown(contract))
        except ValidatorFailed as error:
            return self._failed(question, str(error))
        except Exception as error:  # a bug here must not keep the contract from being looked at again
            log.exception("a validator could not be asked")
            return self._failed(question, f"{type(error).__name__} in the operator; see its log")
        return Verdict(question.fingerprint, self._now(), answer.ready, answer.missing)

    async def close(self) -> None:
        """End what was started for asking."""
        await self._cel.close()

    async def _answer(self, question: Question, contract: JsonObject) -> Answer:
        validator = question.validator
        if validator.cel is not None:
            variables = variables_of(question.phase, contract)
            seconds = min(validator.timeout_seconds, MOST_CEL_SECONDS)
            return await self._cel.evaluate(validator.cel.expression, variables, seconds)
        if validator.http is not None:
            return await self._call(question, validator.http, contract)
        raise ValidatorFailed("it names neither cel nor http; set one of them")

    async def _call(self, question: Question, http: HttpValidator, contract: JsonObject) -> Answer:
        async with time_limit(question.validator.timeout_seconds):
            address = await resolve(self._api, contract["metadata"]["namespace"], http)
            return await call(address, http.path, {"contract": contract, "phase": question.phase})

    def _failed(self, question: Question, why: str) -> Verdict:
        passes = question.validator.failure_policy is FailurePolicy.IGNORE
        text = one_line(f"validator {_name(question.validator)}: {why}")
        return Verdict(question.fingerprint, self._now(), ready=passes, missing=(text,), failed=True)


def _name(validator: Validator) -> str:
    if validator.http is not None:
        return f"http {validator.http.service}:{validator.http.port}"
    return "cel"


def _shown(contract: JsonObject) -> JsonObject:
    """The contract without managedFields: bookkeeping of the API server, often half of the object."""
    metadata = {key: value for key, value in contract["metadata"].items() if key != "managedFields"}
    return {**contract, "metadata": metadata}
