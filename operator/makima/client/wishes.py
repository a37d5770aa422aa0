"""What people wish of a contract, written to its `spec` as the person who wishes it.

A wish that names a version (advance, confirm, retry) is for what the person saw: it is never repeated for a newer one
by itself. The others are read and decided again when somebody else was faster.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from makima.client.cluster import Cluster, JsonObject
from makima.domain.reconcile.phase_change import destination
from makima.domain.wishes.batch import Patch, operations
from makima.domain.wishes.cleanup import ENDED
from makima.errors import Conflict, Denied, MakimaError
from makima.models import bounds
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, Question

ATTEMPTS = 5
"""How often a wish is decided anew when others change the contract at the same time."""


class NotPossible(MakimaError):
    """The contract, as it is, does not allow what was wished; nothing was written.

    Attributes:
        code: the plan's code.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{code}: {message}", hint)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wishes:
    """The wishes of one person about one contract; each returns the contract as the API server took it.

    Each raises `makima.errors.ClusterError` by what the API server said, and `NotPossible` where nothing can be asked.

    Attributes:
        dry_run: everything is checked, by the API server too, and nothing is stored.
    """

    cluster: Cluster
    namespace: str
    name: str
    dry_run: bool = False

    async def read(self) -> Contract:
        """The contract as it is now."""
        return Contract.from_object(await self.cluster.get("contracts", self.namespace, self.name))

    async def advance(
        self,
        seen: Contract,
        *,
        to: str | None = None,
        confirmed: bool = False,
        force: bool = False,
        reason: str | None = None,
        expected_version: int | None = None,
    ) -> Contract:
        """Ask for the next phase (or Completed) of the version that was seen, or of `expected_version`."""
        status = accepted(seen)
        request = {
            "to": to or destination(status),
            "expectedVersion": expected_version or status.version,
            "confirmed": confirmed,
            "force": force,
            "reason": reason,
        }
        return await self._merge({"advance": request})

    async def answer(self, question_id: str, text: str) -> Contract:
        """Answer an open question."""

        async def attempt() -> Contract:
            contract = await self.read()
            open_ids = {question.id for question in accepted(contract).questions}
            if question_id not in open_ids:
                raise NotPossible(
                    "NOT_FOUND", f"no open question has the id {question_id}", "see the open ones: show, or inbox"
                )
            if any(item.question_id == question_id for item in contract.spec.answers):
                raise NotPossible(
                    "CONFLICT", "somebody has answered it already", "the operator takes the answer up soon"
                )
            entry = {"questionId": question_id, "answer": text}
            return await self._patch(_append_answer(contract, open_ids, entry))

        return await self._again(attempt)

    async def deliver(
        self, identifier: str, *, phase: str | None = None, uri: str | None = None, digest: str | None = None
    ) -> Contract:
        """Report a deliverable of the current phase (or of `phase`) as complete; again changes nothing."""

        async def attempt() -> Contract:
            contract = await self.read()
            where = phase or accepted(contract).phase
            entry = {"phase": where, "id": identifier, "uri": uri, "digest": digest}
            if any((item.phase, item.id) == (where, identifier) for item in contract.spec.deliverables):
                return contract
            chosen = {key: value for key, value in entry.items() if value is not None}
            return await self._patch([{"op": "add", "path": "/spec/deliverables/-", "value": chosen}])

        return await self._again(attempt)

    async def pause(self, reason: str | None = None) -> Contract:
        """Suspend it."""
        return await self._merge({"suspend": True, "suspendReason": reason})

    async def resume(self) -> Contract:
        """Take the suspension back."""
        return await self._merge({"suspend": False, "suspendReason": None})

    async def archive_finished(self, uid: str) -> Contract:
        """Archive it; final. If it is the one with this UID and still finished: it may have been taken up again."""

        async def attempt() -> Contract:
            body = await self.cluster.get("contracts", self.namespace, self.name)
            contract = Contract.from_object(body)
            if contract.metadata.uid != uid or accepted(contract).state not in ENDED:
                raise NotPossible("INVALID_TRANSITION", "it is not finished any more", "look at it: show")
            return await self._patch(operations(body, Patch({"archived": True})))

        return await self._again(attempt)

    async def retry(self, seen: Contract) -> Contract:
        """Take a Failed contract up again, in the version that was seen."""
        return await self._merge({"retry": {"expectedVersion": accepted(seen).version}})

    async def restart_supervisor(self) -> Contract:
        """End the current life of its supervisor; the next is restored."""
        contract = await self.read()
        carrier = accepted(contract).supervisor_ref
        if carrier is None:
            raise NotPossible(
                "SUPERVISOR_NOT_FOUND",
                f"no supervisor carries {self.namespace}/{self.name}",
                "give it spec.supervisor, or start one: makima supervise",
            )
        return await self._merge({"restartSupervisor": {"expectedIncarnation": carrier.incarnation}})

    async def delete(self, uid: str) -> None:
        """Delete exactly this contract; its history stays in Postgres."""
        await self.cluster.delete("contracts", self.namespace, self.name, uid)

    async def _merge(self, spec: dict[str, Any]) -> Contract:
        body = await self.cluster.merge("contracts", self.namespace, self.name, {"spec": spec}, dry_run=self.dry_run)
        return Contract.from_object(body)

    async def _patch(self, steps: list[JsonObject]) -> Contract:
        body = await self.cluster.patch("contracts", self.namespace, self.name, steps, dry_run=self.dry_run)
        return Contract.from_object(body)

    async def _again(self, attempt: Callable[[], Awaitable[Contract]]) -> Contract:
        for _ in range(ATTEMPTS - 1):
            try:
                return await attempt()
            except Conflict:
                continue
            except Denied as error:
                if not error.grown:
                    raise
        return await attempt()


def accepted(contract: Contract) -> ContractStatus:
    """The status of a contract that the operator has accepted.

    Raises:
        NotPossible: it was not accepted; says why, as far as the operator has.
    """
    if contract.status is not None:
        return contract.status
    why = next((item.message for item in contract.early_conditions if item.type == "Ready"), None)
    meta = contract.metadata
    raise NotPossible(
        "VALIDATION_FAILED",
        f"{meta.namespace}/{meta.name} was not accepted: {why or 'no operator has looked at it yet'}",
        "mend its spec" if why else "see whether the operator runs: makima doctor",
    )


def the_question(contract: Contract, wanted: str | None) -> Question:
    """The open question with this id or beginning of an id; without one, the only one there is.

    Raises:
        NotPossible: there is none, or it is not clear which.
    """
    meta, there = contract.metadata, accepted(contract).questions
    found = [question for question in there if wanted is None or question.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not there:
        raise NotPossible("NOT_FOUND", f"{meta.namespace}/{meta.name} asks nothing", "see what it waits for: show")
    listed = "; ".join(f"{question.id}: {question.question[:60]}" for question in there)
    if not found:
        raise NotPossible("NOT_FOUND", f"no open question has the id {wanted}", f"open are: {listed}")
    raise NotPossible("VALIDATION_FAILED", f"{len(found)} questions are open", f"say which: --question ID; {listed}")


def _append_answer(contract: Contract, open_ids: set[str], entry: JsonObject) -> list[JsonObject]:
    """Append; where the list is full, answers to questions that are no longer open make room."""
    if len(contract.spec.answers) < bounds.ANSWERS:
        return [{"op": "add", "path": "/spec/answers/-", "value": entry}]
    kept = [
        item.model_dump(mode="json", by_alias=True) for item in contract.spec.answers if item.question_id in open_ids
    ]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": contract.metadata.resource_version},
        {"op": "replace", "path": "/spec/answers", "value": [*kept, entry]},
    ]
