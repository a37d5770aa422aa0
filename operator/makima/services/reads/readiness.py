"""Is the phase done, would the contract complete? (plan 2.2, 2.4). The gate's validator is asked where it is needed."""

from __future__ import annotations

from collections import OrderedDict

from makima.domain.reconcile.completion_check import Completion, check_completion
from makima.domain.reconcile.draft import Draft, Surroundings
from makima.domain.reconcile.gates import NoGate, NotReady, Readiness, Ready, Undecided, phase_readiness
from makima.domain.reconcile.progress import advances_by_itself
from makima.domain.reconcile.validation import Question, Verdict
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.wire.contracts import CompletionCheck, ContractSummary, PhaseReadiness
from makima.ports import Clock, JsonObject, Validators
from makima.services.access.live_contract import accepted, contract_in
from makima.services.reads.contract_views import summary

REMEMBERED = 1000
"""Verdicts that are kept while they are fresh: readers do not make a validator work more than the operator does."""


class ReadinessChecks:
    """Answers about contracts as they are now; asking changes nothing."""

    def __init__(self, validators: Validators, settings: Settings, clock: Clock) -> None:
        self._validators, self.settings, self.clock = validators, settings, clock
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    async def phase(self, body: JsonObject) -> PhaseReadiness:
        """Whether the current phase is done, and what is missing.

        Raises:
            Refused: UNAVAILABLE, the contract is not accepted yet.
        """
        draft = self.draft(body)
        readiness = await self.readiness(draft, body)
        return PhaseReadiness(
            phase=draft.status.phase,
            ready=isinstance(readiness, Ready | NoGate),
            missing=missing_of(readiness),
            auto_advance_enabled=advances_by_itself(draft),
        )

    async def completion(self, body: JsonObject) -> CompletionCheck:
        """Whether the contract would complete now, and what is missing. Raises: as `phase`."""
        draft = self.draft(body)
        found: Completion = check_completion(draft, await self.readiness(draft, body))
        return CompletionCheck(ready=found.ready, would_complete=found.would_complete, missing=found.missing)

    def summary(self, contract: Contract) -> ContractSummary:
        """The contract in short, as of now."""
        return summary(contract, self.settings, self.clock.now())

    def draft(self, body: JsonObject) -> Draft:
        """The contract, as decisions look at it.

        Raises:
            Refused: UNAVAILABLE, it is not accepted yet.
        """
        contract = contract_in(body)
        status = accepted(contract)
        around = Surroundings(settings=self.settings, now=self.clock.now())
        return Draft(contract=contract, around=around, original=status, status=status)

    async def readiness(self, draft: Draft, body: JsonObject) -> Readiness:
        """Readiness of the current phase; a validator is asked, unless its last answer is still fresh."""
        found = draft.readiness()
        if not isinstance(found, Undecided):
            return found
        verdict = await self._ask(found.question, body)
        uid = draft.contract.metadata.uid
        found = phase_readiness(uid, draft.status, verdict, verdict.at)
        return found if not isinstance(found, Undecided) else NotReady(verdict.missing)

    async def _ask(self, question: Question, body: JsonObject) -> Verdict:
        known = self._verdicts.get(question.fingerprint)
        if known is not None and known.fresh(question, self.clock.now()):
            return known
        verdict = await self._validators.ask(question, body)
        self._verdicts[question.fingerprint] = verdict
        if len(self._verdicts) > REMEMBERED:
            self._verdicts.popitem(last=False)
        return verdict


def missing_of(readiness: Readiness) -> tuple[str, ...]:
    """What is missing, in the plan's words."""
    return readiness.missing if isinstance(readiness, NotReady) else ()
