"""The process that evaluates CEL, run as a script: it imports nothing of makima, to start fast and to know little.

An expression may be written to burn time or memory. CEL can't be interrupted from within, but a process can be killed,
and its memory limited. Requests and answers are JSON on stdin and stdout, each after its length in four bytes (big
endian).
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import struct
import sys
from itertools import islice
from typing import Any, BinaryIO

import cel

MEMORY_BYTES = 512 * 1024 * 1024
MOST_ITEMS = 20
LONGEST_TEXT = 1000
"""Of an item or an error; whoever reads it cuts it to what is shown."""

GRACE_SECONDS = 5
"""How long after its time limit the worker ends by itself, should whoever has to kill it be gone."""


def limit_resources() -> None:
    """Bound memory, and leave no core dump behind, which would hold a contract."""
    limits = {resource.RLIMIT_AS: MEMORY_BYTES, resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0}
    for kind, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS knows RLIMIT_AS and refuses to set it
            resource.setrlimit(kind, (limit, limit))


def evaluate(expression: str, variables: dict[str, Any]) -> dict[str, Any]:
    """{"ready", "missing"} or {"error"}."""
    try:
        return outcome(cel.evaluate(expression, variables))
    except Exception as error:  # anything that the library raises is about the expression
        return {"error": f"{type(error).__name__}: {error}"[:LONGEST_TEXT]}


def outcome(result: object) -> dict[str, Any]:
    """What the result of an expression means: true, false, or a list of what is missing."""
    if isinstance(result, bool):
        return {"ready": result, "missing": []}
    if isinstance(result, list) and all(isinstance(item, str) for item in result):
        return {"ready": not result, "missing": [item[:LONGEST_TEXT] for item in islice(result, MOST_ITEMS)]}
    given = "a list with other items" if isinstance(result, list) else type(result).__name__
    return {"error": f"it gives {given}; it has to give true, false or a list of strings"}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Say that it is ready, then answer until stdin ends."""
    send(answers, {"started": True})
    while head := requests.read(4):
        request = json.loads(requests.read(struct.unpack(">I", head)[0]))
        signal.alarm(request["seconds"] + GRACE_SECONDS)
        answer = evaluate(request["expression"], request["variables"])
        signal.alarm(0)
        send(answers, answer)


def send(answers: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message."""
    data = json.dumps(message).encode()
    answers.write(struct.pack(">I", len(data)) + data)
    answers.flush()


if __name__ == "__main__":
    limit_resources()
    serve(sys.stdin.buffer, sys.stdout.buffer)
