"""Bulk operations whose writes the person makes: makima's API says to which contracts, and records what became of it.

With a client certificate, or any credential that stays between a person and the API server, nobody else can make these
writes as that person. What is written is decided here, by the same function as in the API service, on the contract as
it is now: no answer of the API can make a person write anything else than the operation they asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from makima.client.cluster import JsonObject
from makima.client.finding import contracts_in
from makima.client.person import Person
from makima.client.wishes import ATTEMPTS
from makima.domain.settings import Settings
from makima.domain.wishes.batch import Delete, Moment, operations, step
from makima.errors import Conflict, Denied, MakimaError, NotFound
from makima.models.contract import Contract
from makima.models.wire.batch import BatchRequest, Operation
from makima.models.wire.problem import Code

AT_A_TIME = 8
SETTINGS = Settings(stale_threshold=timedelta(0))
"""The API has looked at how long each was silent; it alone knows the threshold and every heartbeat."""


async def carry_out(
    person: Person, wanted: dict[str, Any], where: str | None, tell: Callable[[int, int], None] = lambda *_: None
) -> dict[str, Any]:
    """Have the contracts told, write to each as the person, and report.

    Args:
        wanted: a `BatchRequest` as JSON.
        where: a namespace; None = all that the person may see.
        tell: called after each contract with how many are through, and how many there are.

    Returns:
        The answer of the API with what really became of each contract.

    Raises:
        makima.errors.MakimaError: the API refused, or can't be reached; nothing was written then.
    """
    path = person.api.collection("batch", where)
    answer: dict[str, Any] = await person.api.call("POST", path, body={**wanted, "by_caller": True})
    enhanced = answer.get("enhanced_contract_status")
    run = _Run(person, BatchRequest.model_validate(wanted), await person.cluster.whoami(), enhanced)
    try:
        there = [item async for item in contracts_in(person, where)]
        await run.through(there, answer["affected_ids"], tell)
    finally:  # also of a run that is cut off: else its record never ends, and nobody counts it
        report = {"batch_id": answer["batch_id"], "affected_ids": run.done, "errors": run.errors}
        await person.api.call("POST", f"{path}/report", body=report)
    return {**answer, "affected_count": len(run.done), "affected_ids": run.done, "errors": run.errors}


class _Run:
    def __init__(self, person: Person, request: BatchRequest, who: str, enhanced: bool | None) -> None:
        """`enhanced`: the flag `enhanced_contract_status`, which the API alone knows; None = it is an older one.

        Without the nine states a pause is no state, and an old status stands for several; of an older API's choice,
        what is suspended is resumed.
        """
        self._person, self._request, self._who = person, request, who
        if enhanced is None:
            enhanced = request.operation is not Operation.RESUME_ALL
        self._settings = replace(SETTINGS, enhanced_status=enhanced)
        self._room = asyncio.Semaphore(AT_A_TIME)
        self.done: list[str] = []
        self.errors: list[dict[str, str]] = []

    async def through(self, bodies: list[JsonObject], chosen: list[str], tell: Callable[[int, int], None]) -> None:
        """Everything that is chosen and still there."""
        meant = set(chosen)
        there, through = [body for body in bodies if body["metadata"]["uid"] in meant], count(1)
        async with asyncio.TaskGroup() as group:
            for body in there:
                group.create_task(self._item(body)).add_done_callback(lambda _: tell(next(through), len(there)))

    async def _item(self, body: JsonObject) -> None:
        uid = body["metadata"]["uid"]
        async with self._room:
            try:
                if await self._applied(body):
                    self.done.append(uid)
            except NotFound:
                return  # gone meanwhile
            except asyncio.CancelledError:
                text = "the run was cut off; whether this was written is not known"
                self.errors.append({"id": uid, "code": Code.UNAVAILABLE, "message": text})
                raise
            except MakimaError as error:
                self.errors.append({"id": uid, "code": _code(error), "message": error.message[:4096]})

    async def _applied(self, body: JsonObject) -> bool:
        """Read, decide, write with a precondition; again if it changed meanwhile. Whether it was done."""
        meta = body["metadata"]
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._once(body)
            except Conflict:
                body = await self._person.cluster.get("contracts", meta["namespace"], meta["name"])
                if body["metadata"]["uid"] != meta["uid"]:
                    return False
        return await self._once(body)

    async def _once(self, body: JsonObject) -> bool:
        meta, moment = body["metadata"], Moment(self._who, self._settings, datetime.now(UTC))
        found = step(self._request, Contract.from_object(body), moment)
        if found is None:
            return False
        cluster, place = self._person.cluster, ("contracts", meta["namespace"], meta["name"])
        if isinstance(found, Delete):
            await cluster.delete(*place, meta["uid"], meta["resourceVersion"])
        else:
            await cluster.patch(*place, operations(body, found))
        return True


def _code(error: MakimaError) -> str:
    known = getattr(error, "code", "")
    if known in Code.__members__:
        return str(known)
    if isinstance(error, Conflict):
        return Code.CONFLICT
    return Code.FORBIDDEN if isinstance(error, Denied) else Code.UNAVAILABLE
