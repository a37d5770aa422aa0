"""Carrying out an agent's calls in the life that its wrapper has registered: no second one, the same fencing."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import assert_never
from uuid import UUID

from pydantic import ValidationError

from makima.errors import MakimaError
from makima.models.wire.work import Advanced
from makima.supervisor.client import Supervisor
from makima.supervisor.tools import calls
from makima.supervisor.tools.calls import ToolAnswer, ToolCall

END_TURN = "End your turn now: you are started again"

Ask = Callable[[str, tuple[str, ...], str | None], Awaitable[str | None]]
"""Asks a person (text, options, key); gives the answer if there is one."""


class Actions:
    """What tools do.

    Attributes:
        unconfirmed: called with the phase that a person has to confirm, or None when nobody has to any more.
    """

    def __init__(self, supervisor: Supervisor, ask: Ask, unconfirmed: Callable[[str | None], None]) -> None:
        self._supervisor, self._ask, self._unconfirmed = supervisor, ask, unconfirmed

    async def carry_out(self, line: bytes) -> ToolAnswer:
        """One call. Whatever is wrong with it is said in the answer; a repetition does nothing a second time."""
        try:
            return ToolAnswer(ok=True, text=await self._done(calls.READ.validate_json(line)))
        except ValidationError as error:
            return ToolAnswer(ok=False, text=_said(error))
        except MakimaError as error:
            return ToolAnswer(ok=False, text=f"{error.message}\n{error.hint or ''}".strip())

    async def _done(self, call: ToolCall) -> str:
        match call:
            case calls.AskQuestion():
                return await self._asked(call)
            case calls.SpawnTask():
                return await self._spawned(call)
            case calls.CompleteTask() | calls.FailTask():
                ok = isinstance(call, calls.CompleteTask)
                await self._supervisor.end_task(_uuid(call.task_id), ok=ok, message=call.message)
                return f"task {call.task_id} {'completed' if ok else 'failed'}"
            case calls.CompleteDeliverable():
                supervisor = self._supervisor
                phase = call.phase or supervisor.picture.phase
                await supervisor.complete_deliverable(call.deliverable, phase=phase, uri=call.uri, digest=call.digest)
                return f"deliverable {call.deliverable} of phase {phase} is complete"
            case calls.RequestAdvance():
                return self._moved(
                    call.to, await self._supervisor.ask_advance(call.to, reason=call.reason, wait_seconds=0)
                )
            case calls.ContractStatus():
                return self._status()
            case _:
                assert_never(call)

    async def _asked(self, call: calls.AskQuestion) -> str:
        answer = await self._ask(call.question, tuple(call.options), call.key)
        if answer is not None:
            return f"The answer is: {answer}"
        return f"A person is asked. {END_TURN} with the answer. Do not ask again, and do not wait."

    async def _spawned(self, call: calls.SpawnTask) -> str:
        task = await self._supervisor.spawn_task(
            call.name, template=call.template, arguments=call.arguments, key=call.key
        )
        told = {"task_id": str(task.id), "name": task.name}
        if task.ended.done():
            told["state"], told["message"] = task.ended.result()
        elif call.template is None:
            told["next"] = "run it yourself, then say complete_task or fail_task with this task_id"
        else:
            told["next"] = "it runs as a Job; contract_status says when it has ended"
        return json.dumps(told)

    def _moved(self, to: str, answer: Advanced) -> str:
        waits = answer.outcome == "requires_confirmation"
        self._unconfirmed(to if waits else None)
        told = f"{answer.outcome}: {answer.message}; the contract is in phase {answer.phase}"
        if waits:
            told += f". A person has to confirm {', '.join(answer.deliverables) or 'the move'}. {END_TURN} after that."
        return told + (f"; missing: {', '.join(answer.missing)}" if answer.missing else "")

    def _status(self) -> str:
        picture = self._supervisor.picture
        told = {
            "contract": self._supervisor.place.contract,
            "phase": picture.phase,
            "version": picture.contract_version,
            "completed": picture.completed,
            "state": picture.state.snake,
            "progress": picture.progress,
            "open_questions": [str(question) for question in picture.questions],
            "answers": {str(question): answer for question, answer in picture.answers.items()},
            "waiting_on_tasks": [str(task) for task in picture.waiting_on],
        }
        return json.dumps(told)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise MakimaError(f"{text!r} is no task_id", hint="spawn_task gives the task_id of a task") from None


def _said(error: ValidationError) -> str:
    """What is wrong with the arguments, field by field, without repeating them."""
    wrong = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()[:5]]
    return "not done: " + "; ".join(wrong)
