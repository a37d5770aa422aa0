"""Asking a CEL expression, in a process of its own that can be killed."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

from makima.adapters.validators.answer import Answer, ValidatorFailed, one_line
from makima.ports import JsonObject

WORKER = Path(__file__).with_name("cel_worker.py")
START_SECONDS = 20.0
"""How long a worker may take to start, on a machine that is busy; not part of a validator's own time limit."""

LARGEST_ANSWER = 256 * 1024
"""Bytes; the worker sends at most 20 texts of 1000 characters, which JSON may spell six or twelve times as long."""

LONGEST_ERROR = 110
"""Characters of the evaluator's own words, so that the advice after them is seen too."""

MEND = "mend the expression (has() guards a field that may be absent)"

log = logging.getLogger(__name__)


def variables_of(phase: str, contract: JsonObject) -> dict[str, Any]:
    """What an expression sees: contract, phase, deliverables (ids completed in the phase), tasks (of the phase)."""
    status = contract.get("status") or {}
    done = [item["id"] for item in status.get("deliverables") or () if item.get("phase") == phase]
    tasks = [task for task in status.get("tasks") or () if task.get("phase") == phase]
    return {"contract": contract, "phase": phase, "deliverables": done, "tasks": tasks}


class CelWorker:
    """One process, started when first needed, that evaluates one expression at a time.

    One for all: an expression takes about a millisecond, and one that does not is stopped at its time limit.
    """

    def __init__(self) -> None:
        self._process: Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def evaluate(self, expression: str, variables: dict[str, Any], seconds: int) -> Answer:
        """The expression's answer.

        Args:
            expression: in CEL.
            variables: JSON values by name.
            seconds: time limit, from when the expression's turn comes.

        Raises:
            ValidatorFailed: it is wrong, takes too long or too much memory.
        """
        request = {"expression": expression, "variables": variables, "seconds": seconds}
        async with self._one_at_a_time:
            answer = await self._exchange(request, seconds)
        if "error" in answer:
            raise ValidatorFailed(f"{one_line(answer['error'], LONGEST_ERROR)}; {MEND}")
        return Answer.of(answer["ready"], answer["missing"], "validator cel: the expression gives false")

    async def _exchange(self, request: dict[str, Any], seconds: int) -> dict[str, Any]:
        """A worker that did not answer as it should is out of step: it ends, and the next question starts another."""
        try:
            process = await self._started()
            async with asyncio.timeout(seconds):
                await _send(process, request)
                return await _receive(process)
        except TimeoutError:
            await self._stop()
            raise ValidatorFailed(
                f"no result after {seconds} s; simplify the expression, or raise timeoutSeconds"
            ) from None
        except (OSError, EOFError, ValueError) as error:
            code = await self._stop()
            log.warning("the CEL worker ended (exit code %s): %s", code, error or type(error).__name__)
            raise ValidatorFailed(
                "it needs too much memory, or crashed the evaluator; simplify the expression"
            ) from error
        except BaseException:
            await self._stop()
            raise

    async def _started(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        # -P: the folder of the script holds a cel.py of ours. The environment holds no secret: there is none.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(WORKER), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_environment(), cwd="/"
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await _receive(self._process)
        except TimeoutError:
            raise ValidatorFailed("the evaluator does not start; it is tried again, see the operator's load") from None
        return self._process

    async def _stop(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            process.kill()
        assert process.stdin is not None
        process.stdin.close()
        return await process.wait()

    async def close(self) -> None:
        """End the worker, if there is one."""
        async with self._one_at_a_time:
            await self._stop()


def _environment() -> dict[str, str]:
    """What Python needs to find its packages, wherever they are installed."""
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"}


async def _send(process: Process, message: dict[str, Any]) -> None:
    assert process.stdin is not None
    data = json.dumps(message, separators=(",", ":")).encode()
    process.stdin.write(struct.pack(">I", len(data)) + data)
    await process.stdin.drain()


async def _receive(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    length = struct.unpack(">I", await process.stdout.readexactly(4))[0]
    if length > LARGEST_ANSWER:
        raise ValueError(f"an answer of {length} bytes")
    answer: dict[str, Any] = json.loads(await process.stdout.readexactly(length))
    return answer
