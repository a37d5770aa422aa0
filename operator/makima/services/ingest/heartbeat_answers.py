"""What the answer to a call says of its heartbeats: what is wrong, what was there already, which commands wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from makima.models.supervision import Beat
from makima.models.wire.heartbeat import BatchAnswer, BatchEntry
from makima.models.wire.problem import Code, Problem
from makima.services.ingest.heartbeat_reading import Found
from makima.services.ingest.taken import STORED, Result, Taken
from makima.services.refusals import superseded
from makima.services.supervisor_calls.command_delivery import CommandDelivery


def batch_answer(
    found: Found, taken: list[Taken], commands: CommandDelivery, now: datetime
) -> tuple[BatchAnswer, list[UUID]]:
    """The answer to a batch or a frame, and the contracts whose heartbeats were accepted."""
    listed = {
        index: BatchEntry(index=index, contract_id=_shown(contract), error=problem)
        for index, (contract, problem) in found.problems.items()
    }
    stored = taken.count(STORED)
    if stored < len(taken) or commands.any_waiting():  # most batches have nothing more to be told
        listed |= _listed(found, taken, commands)
    entries = tuple(listed[index] for index in sorted(listed))
    refused = {entry.index for entry in entries if entry.error is not None}
    beats = zip(found.places, found.beats, strict=True)
    accepted = [beat.contract_id for index, beat in beats if index not in refused]
    return BatchAnswer(server_time=now, stored=stored, refused=len(refused), entries=entries), accepted


def _listed(found: Found, taken: Sequence[Taken], commands: CommandDelivery) -> dict[int, BatchEntry]:
    """What is told of heartbeats that reached the ingest, by index."""
    listed: dict[int, BatchEntry] = {}
    for index, beat, one in zip(found.places, found.beats, taken, strict=True):
        problem = problem_of(one, beat)
        waiting = commands.waiting_for(beat.contract_id) if problem is None else ()
        if problem is not None or waiting or one.result is Result.DUPLICATE:
            word = None if problem is not None else one.result.value
            contract = str(beat.contract_id)
            listed[index] = BatchEntry(index=index, contract_id=contract, result=word, error=problem, commands=waiting)
    return listed


def problem_of(taken: Taken, beat: Beat) -> Problem | None:
    """Why a heartbeat was not taken; None = it was."""
    match taken.result:
        case Result.SUPERSEDED:
            return superseded(taken.current)
        case Result.UNKNOWN:
            return Problem(
                code=Code.SUPERVISOR_NOT_FOUND,
                message=f"task {beat.task_id} does not carry contract {beat.contract_id}",
                field="task_id",
                hint="register again: the Supervisor was deleted and made anew, or never was",
            )
        case Result.LATE:
            return Problem(
                code=Code.CONFLICT,
                message=f"heartbeat {beat.sequence} is older than the last one stored, {taken.last}",
                field="sequence",
                hint="nothing to be done: a newer heartbeat is there",
                details={"last": taken.last},
            )
        case _:
            return None


def _shown(contract: object) -> str | None:
    return str(contract)[:64] if contract is not None else None
