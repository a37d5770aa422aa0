"""`makima.stores.WorkStore`: tasks and questions, by the ids that their clients made; their events with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid5

from makima.adapters.postgres.commands import insert_commands
from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.encoding import to_json
from makima.adapters.postgres.fencing import fenced, writing
from makima.adapters.postgres.record import append_events, encoded_events
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_events import Row, question_event, task_event
from makima.adapters.postgres.supervision_rows import question_row, task_row
from makima.errors import NotFound, ValuesRefused
from makima.models.enums import CommandKind
from makima.models.history import HistoryEvent
from makima.models.supervision import StoredCommand, StoredQuestion, StoredTask

SQL = load("work")


class PostgresWork:
    """`tasks` and `questions`; see the protocol for what each method means."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spawn_task(self, task: StoredTask) -> StoredTask:
        """Store it unless its id is there; what is stored.

        Raises:
            Superseded: a newer life than `task.incarnation` has begun (None: whoever calls needs no fence).
            NotFound: nobody ever carried this contract.
            ValuesRefused: another contract has a task of this id, or a text is not Unicode.
        """
        async with self._writing(task) as connection:
            cursor = await connection.execute(SQL["spawn"], _parameters(task))
            made = await cursor.fetchone()
            row = await _one(connection, SQL["task"], task.id)
            if row is not None and made is not None and made["made"]:
                await _append(connection, row, task_event)
        if row is None or row["contract_id"] != task.contract_id:
            raise ValuesRefused(f"the task id {task.id} belongs to another contract", "make a new UUID for each task")
        return task_row(row)

    async def end_task(self, task: StoredTask) -> StoredTask:
        """Store the end (state, message, completed_at), unless it has one; what is stored.

        Args:
            task: `incarnation` is the caller's, for the fence; None for the operator, which ends Jobs.

        Raises:
            Superseded: a newer life than `task.incarnation` has begun.
            NotFound: the contract has no task of this id.
        """
        async with self._writing(task) as connection:
            cursor = await connection.execute(SQL["end_task"], _parameters(task))
            ended = await cursor.fetchone()
            row = await _one(connection, SQL["task"], task.id)
            if row is not None and ended is not None:
                await _append(connection, row, task_event)
        if row is None or row["contract_id"] != task.contract_id:
            raise NotFound(f"contract {task.contract_id} has no task {task.id}", "spawn it first")
        return task_row(row)

    async def ask(self, question: StoredQuestion) -> StoredQuestion:
        """Store it unless its id is there; what is stored.

        Raises:
            Superseded: a newer life than `question.incarnation` has begun.
            NotFound: nobody ever carried this contract.
            ValuesRefused: another contract has a question of this id, or a text is not Unicode.
        """
        async with fenced(self._database, question.contract_id, question.incarnation) as connection:
            cursor = await connection.execute(SQL["ask"], {**asdict(question), "options": list(question.options)})
            made = await cursor.fetchone()
            row = await _one(connection, SQL["question"], question.id)
            if row is not None and made is not None:
                await _append(connection, row, question_event)
        if row is None or row["contract_id"] != question.contract_id:
            raise ValuesRefused(f"the question id {question.id} belongs to another contract", "make a new UUID for it")
        return question_row(row)

    async def answer(self, answers: Sequence[StoredQuestion]) -> None:
        """Store answers (first one stays), each with its `answer` command, in one transaction.

        Not fenced: people answer, whichever life asked.
        """
        first: dict[UUID, StoredQuestion] = {}
        for question in answers:
            if question.answer is not None:
                first.setdefault(question.id, question)
        if not first:
            return
        rows = ",".join(to_json(asdict(question)) for question in first.values())
        async with writing(self._database) as connection:
            cursor = await connection.execute(SQL["answer"], {"rows": f"[{rows}]"})
            stored = await cursor.fetchall()
            await insert_commands(connection, [_command(row) for row in stored])
            for row in stored:
                if row["made"]:  # nobody has heard of it yet
                    await _append(connection, row, question_event)

    async def tasks(self, contract_id: UUID) -> Sequence[StoredTask]:
        """All tasks of the contract, oldest first."""
        rows = await self._database.rows(SQL["tasks"], {"contract_id": contract_id})
        return [task_row(row) for row in rows]

    async def questions(self, contract_id: UUID) -> Sequence[StoredQuestion]:
        """All questions of the contract, oldest first."""
        rows = await self._database.rows(SQL["questions"], {"contract_id": contract_id})
        return [question_row(row) for row in rows]

    @asynccontextmanager
    async def _writing(self, task: StoredTask) -> AsyncIterator[Connection]:
        if task.incarnation is None:
            async with writing(self._database) as connection:
                yield connection
        else:
            async with fenced(self._database, task.contract_id, task.incarnation) as connection:
                yield connection


async def _append(connection: Connection, row: Row, make: Callable[[Row], HistoryEvent | None]) -> None:
    """Append the event that a row makes; the last thing in its transaction, see `append_events`.

    A contract that neither has a supervisor nor is in the projection has nobody who follows it.
    """
    carried = await (await connection.execute(SQL["carried"], {"contract_id": row["contract_id"]})).fetchone()
    event = make({**row, **carried}) if carried is not None else None
    if event is not None:
        await append_events(connection, encoded_events([event]))


def _parameters(task: StoredTask) -> dict[str, Any]:
    return {**asdict(task), "state": task.state.snake, "arguments": list(task.arguments)}


async def _one(connection: Connection, query: bytes, identity: UUID) -> dict[str, Any] | None:
    return await (await connection.execute(query, {"id": identity})).fetchone()


def _command(row: dict[str, Any]) -> StoredCommand:
    return StoredCommand(
        id=uuid5(row["id"], "answer"),
        contract_id=row["contract_id"],
        kind=CommandKind.ANSWER,
        created_at=row["answered_at"],
        payload={"question_id": str(row["id"]), "answer": row["answer"]},
    )
