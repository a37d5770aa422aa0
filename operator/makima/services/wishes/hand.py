"""Changes that people make, sent to the API server as themselves; its refusals become the plan's answers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from makima.domain.wishes.status_wishes import Operation
from makima.errors import Conflict, Denied, NotFound
from makima.models.wire.problem import Code
from makima.ports import AsCaller, JsonObject, ObjectKey
from makima.services.access.contract_lookup import ContractId, ContractLookup, Located, no_contract
from makima.services.access.person import Person
from makima.services.refusals import SHOWN, Refused, refusal

Answer = TypeVar("Answer")

ATTEMPTS = 5
"""How often a change is decided anew when others change the contract at the same time."""

MANAGER = 128
"""Characters of a field manager at most (Kubernetes)."""

UNAUTHORIZED = "UNAUTHORIZED"
"""What policies call a right that is missing; REST answers FORBIDDEN."""


class Hand:
    """Writes `spec` with the caller's own credential, and never otherwise (design, "Who writes what, as whom")."""

    def __init__(self, api_server: AsCaller, lookup: ContractLookup) -> None:
        self._api_server, self._lookup = api_server, lookup

    async def again(self, person: Person, found: Located, attempt: Callable[[Located], Awaitable[Answer]]) -> Answer:
        """What `attempt` gives; it is made again with the contract as it is then when somebody else was faster.

        Args:
            attempt: decides by what was read, and writes.

        Raises:
            Refused: CONTRACT_NOT_FOUND, another contract has its name now; CONFLICT, it changes all the time; whatever
                the attempt raises.
        """
        for _ in range(ATTEMPTS):
            try:
                return await attempt(found)
            except Conflict:
                found = await self._lookup.find(person.identity, ContractId(found.uid))
        raise too_fast()

    async def create(self, person: Person, body: JsonObject) -> JsonObject:
        """Make a contract.

        Raises:
            Refused: whatever the API server refuses.
            ClusterUnavailable: it does not answer.
        """
        if person.credential is None:
            raise _cannot_forward(f"kubectl create -f - <<< {shlex.quote(json.dumps(body))}"[:2000])
        try:
            return await self._api_server.create_contract(person.credential, body, manager(person))
        except Conflict as error:
            hint = "choose another name, or change the contract that is there"
            raise refusal(Code.CONFLICT, error.message[:SHOWN], hint=hint) from None
        except NotFound as error:
            raise refusal(Code.NOT_FOUND, error.message[:SHOWN], hint="make the namespace first") from None
        except Denied as error:
            raise refused_write(error, None) from None

    async def change(self, person: Person, found: Located, operations: Sequence[Operation]) -> JsonObject:
        """Change the spec of exactly this contract; the object as it is then.

        Raises:
            Refused: whatever the API server refuses; CONTRACT_NOT_FOUND, it is gone.
            Conflict: it is not as it was read, or another contract has its name now.
            ClusterUnavailable: it does not answer; nothing is known about the change.
        """
        command = patch_command(found, operations)
        if person.credential is None:
            raise _cannot_forward(command)
        same = {"op": "test", "path": "/metadata/uid", "value": str(found.uid)}
        place = (found.namespace, found.name)
        try:
            return await self._api_server.patch_contract(
                person.credential, *place, [same, *operations], manager(person)
            )
        except NotFound:
            raise no_contract(ContractId(found.uid)) from None
        except Denied as error:
            if error.grown or error.code == Code.VERSION_CONFLICT:  # the contract as it is now says it better
                raise Conflict(error.message) from None
            raise refused_write(error, command) from None

    async def delete(self, person: Person, found: Located, *, exactly: bool) -> None:
        """Delete this contract; `exactly`: only as it was read.

        Raises:
            Refused: whatever the API server refuses.
            Conflict: it is not as it was read, or another contract has its name now.
            ClusterUnavailable: it does not answer.
        """
        body = found.live()
        command = f"kubectl -n {found.namespace} delete contract {found.name}"
        if person.credential is None:
            raise _cannot_forward(command)
        key = ObjectKey(found.namespace, found.name, str(found.uid))
        version = body["metadata"]["resourceVersion"] if exactly else None
        try:
            await self._api_server.delete_contract(person.credential, key, version)
        except NotFound:
            return
        except Denied as error:
            raise refused_write(error, command) from None


def too_fast() -> Refused:
    """Somebody else was faster, again and again."""
    return refusal(Code.CONFLICT, "the contract changes too fast to be written", hint="make the call again")


def manager(person: Person) -> str:
    """The field manager of a caller's writes: their name, which the history then shows as who asked."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in person.identity.user)
    return printable.encode()[:MANAGER].decode(errors="ignore") or "makima-api"


def patch_command(found: Located, operations: Sequence[Operation]) -> str:
    """The same change by kubectl."""
    patch = shlex.quote(json.dumps(list(operations), separators=(",", ":"), ensure_ascii=False))
    return f"kubectl -n {found.namespace} patch contract {found.name} --type=json -p {patch}"


def refused_write(error: Denied, command: str | None) -> Refused:
    """What the API server refused, as REST says it.

    Args:
        command: the same change by kubectl, for a token that can't be forwarded.
    """
    text = error.message[:SHOWN]
    if error.status == 401:
        return _cannot_forward(command or "kubectl create")
    if error.code in Code.__members__:
        return refusal(Code[error.code], text, hint=error.hint)
    if error.code == UNAUTHORIZED or error.status == 403:
        return refusal(
            Code.FORBIDDEN,
            text.removeprefix(f"{UNAUTHORIZED}: "),
            hint="somebody who has the verb does it, or binds you a role that has it (makima-edit, makima-confirm)",
        )
    if error.status == 413:
        return refusal(Code.TOO_LARGE, text, hint="make the contract smaller")
    hint = "docs/reference/custom-resources.md has every field; names are in camelCase"
    return refusal(Code.VALIDATION_FAILED, text, hint=hint)


def _cannot_forward(command: str) -> Refused:
    return refusal(
        Code.FORBIDDEN,
        "a change is made as whoever asks for it, and this call carries no token that the API server takes",
        hint=f"use a token for the API server itself, or: {command}",
    )
