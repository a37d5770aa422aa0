"""What the API server counted: successful writes by resource, from its own /metrics."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass

from makima.adapters.kubernetes.connection import Connection

LINE = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
WRITES = ("POST", "PUT", "PATCH", "APPLY", "DELETE")


@dataclass(frozen=True, slots=True)
class Writes:
    """Writes that the API server carried out between two looks.

    Attributes:
        objects: on contracts themselves.
        status: on contracts/status.
        events: Events created and patched.
        refused: writes on contracts and their status that were answered with 4xx: conflicts, refusals by policies.
    """

    objects: int = 0
    status: int = 0
    events: int = 0
    refused: int = 0

    def __sub__(self, other: Writes) -> Writes:
        return Writes(
            self.objects - other.objects,
            self.status - other.status,
            self.events - other.events,
            self.refused - other.refused,
        )


async def read_writes(connection: Connection) -> Writes:
    """The counters now."""
    async with await connection.open("GET", "/metrics") as response:
        text = await response.text()
    found: Counter[str] = Counter()
    for labels, value in LINE.findall(text):
        label = dict(LABEL.findall(labels))
        kind = _kind(label)
        if kind is not None:
            found[kind] += int(float(value))
    return Writes(found["objects"], found["status"], found["events"], found["refused"])


def _kind(label: dict[str, str]) -> str | None:
    if label.get("verb") not in WRITES or label.get("resource") not in ("contracts", "events"):
        return None
    if not label["code"].startswith("2"):
        return "refused" if label["resource"] == "contracts" else None
    if label["resource"] == "events":
        return "events"
    return "status" if label["subresource"] == "status" else "objects"


async def settled_writes(connection: Connection, still: float = 1.0, longest: float = 60.0) -> Writes:
    """The counters once nothing was written for a moment: Events come after the fact."""
    before = await read_writes(connection)
    for _ in range(int(longest / still)):
        await asyncio.sleep(still)
        now = await read_writes(connection)
        if now == before:
            break
        before = now
    return before
