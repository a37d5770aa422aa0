"""Every operation of the OpenAPI document, with a body that it takes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.support.smallest_bodies import SOMETHING, smallest_body

Call = Callable[[str, str, Any], Awaitable[tuple[int, Any]]]

BEAT = {
    "contract_id": "UID",
    "task_id": str(SOMETHING),
    "incarnation": 1,
    "sequence": 1,
    "state": "working",
    "phase": "plan",
}
SAVED = {"incarnation": 1, "payload": "{}", "checksum": "0" * 64}
BODIES: dict[str, dict[str, Any]] = {
    "create_contract": {"namespace": "NAMESPACE", "name": "another", "spec": {"type": "simple"}},
    "change_phase": {"expected_version": 1, "force": True},
    "change_status": {"status": "paused"},
    "save_state": {**SAVED, "task_id": str(SOMETHING), "revision": 1},
    "save_checkpoint": {**SAVED, "number": 1, "message_sequence": 0},
    "send_heartbeat": BEAT,
    "send_heartbeats": {"heartbeats": [BEAT]},
}
"""Where a schema does not tell all that there is to know about a body."""


@dataclass(frozen=True)
class Operation:
    """One call.

    Attributes:
        path: with its parameters filled in.
        raw: as in the document.
        call: what the document says of it.
    """

    name: str
    method: str
    path: str
    raw: str
    body: Any
    call: dict[str, Any]


class Walk:
    """All operations that are no streams, about the contract `work` of a namespace."""

    def __init__(self, document: dict[str, Any], namespace: str, uid: str) -> None:
        self.document, self.namespace, self.uid = document, namespace, uid

    def operations(self) -> list[Operation]:
        """One by one."""
        return [
            Operation(call["operationId"], method.upper(), self.filled(path), path, self._body(call), call)
            for path, methods in self.document["paths"].items()
            for method, call in methods.items()
            if "101" not in call["responses"]
        ]

    def filled(self, path: str, by_name: str | None = None, by_uid: str | None = None) -> str:
        """A path about this contract, or about another."""
        path = path.replace("{id}", by_name or f"{self.namespace}:work").replace("{contract_id}", by_uid or self.uid)
        return "/".join(str(SOMETHING) if part.startswith("{") else part for part in path.split("/"))

    def _body(self, call: dict[str, Any]) -> Any:
        own = BODIES.get(call["operationId"])
        body = json.dumps(own if own is not None else smallest_body(self.document, call))
        return json.loads(body.replace("NAMESPACE", self.namespace).replace("UID", self.uid))

    async def answers(self, call: Call) -> dict[str, tuple[int, Any]]:
        """Status and answer by operation."""
        return {each.name: await call(each.method, each.path, each.body) for each in self.operations()}
