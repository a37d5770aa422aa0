"""Bulk operations: many contracts at once, each as a write of the person who asked, each decided by what is so now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from uuid import uuid4

from makima.domain.settings import Settings
from makima.domain.wishes.batch import Delete, Moment, Patch, by_hand, operations, selection, step, wrong
from makima.errors import Conflict, Denied, HistoryUnavailable, NotFound
from makima.models.contract import Contract
from makima.models.credential import Credential
from makima.models.wire.batch import BatchReport, BatchReported, BatchRequest, BatchResult, RunResult
from makima.models.wire.problem import Code
from makima.ports import JsonObject, ObjectKey
from makima.services.access.identity import Identity
from makima.services.access.person import Person
from makima.services.access.visibility import Scope, Visibility
from makima.services.refusals import Refused, refusal
from makima.services.wishes.batch_run import BatchPorts, BatchRun, Candidate, Progress
from makima.services.wishes.hand import ATTEMPTS, manager, too_fast

AT_A_TIME = 8
"""Contracts of one run that are worked on at a time."""

RUNS = 4
"""Runs under way in this process; further ones wait for a while, then are told to come back."""

RUN_SECONDS = 80.0
"""After that no further contract is begun: the answer says that there are more, before the call's own end."""

RECORD_ATTEMPTS = 3
UNKNOWN = 401

log = logging.getLogger(__name__)


class BatchOperations:
    """Runs bulk operations."""

    def __init__(self, ports: BatchPorts, visibility: Visibility, settings: Settings) -> None:
        self._ports, self._visibility, self._settings = ports, visibility, settings
        self._room = asyncio.Semaphore(RUNS)

    async def run(self, who: Person, request: BatchRequest, within: frozenset[str] = frozenset()) -> BatchResult:
        """Do it, or with `dry_run` say to which contracts it would be done.

        Args:
            within: only in these namespaces, as the address of the call says; empty = wherever the request says.

        Raises:
            Refused: VALIDATION_FAILED, FORBIDDEN, UNAVAILABLE.
            HistoryUnavailable: Postgres is away, and nothing was done.
        """
        try:
            namespaces = await self._allowed(who, request, within)
        except Refused as error:
            if error.problem.code is not Code.UNAVAILABLE:
                self._ports.metrics.batch_operation(request.operation.value, "refused")
            raise
        async with self._room:
            run = BatchRun(uuid4(), who, request, namespaces, self._ports.clock.now())
            await self._ports.store.begin(run)
            return await self._recorded(run)

    async def _allowed(self, who: Person, request: BatchRequest, within: frozenset[str]) -> tuple[str, ...] | None:
        """The namespaces that the run is for; None = all."""
        problem = wrong(request, self._settings)
        if problem is not None:
            raise refusal(Code.VALIDATION_FAILED, f"{problem[0]}: {problem[1]}", field=problem[0])
        named = frozenset(request.namespaces)
        if within and named - within:
            raise _outside(sorted(named - within), sorted(within))
        wanted = named or within
        scope = await self._visibility.scope(who.identity, "batch", wanted)
        if (wanted - scope.namespaces) if wanted else _is_empty(scope):
            raise _no_right(who.identity, sorted(wanted - scope.namespaces))
        if who.credential is None and not (request.dry_run or request.by_caller):
            raise _no_token(request)
        return None if scope.everywhere else tuple(sorted(scope.namespaces))

    async def report(self, who: Person, report: BatchReport) -> BatchReported:
        """What became of a run whose writes the caller made; once, and by who asked for it.

        Raises:
            Refused: NOT_FOUND, there is no such run that waits for the caller's report.
            HistoryUnavailable: Postgres is away; the report can be made again.
        """
        word: RunResult = "succeeded" if not report.errors else "partial" if report.affected_ids else "failed"
        operation = await self._ports.store.reported(who, report, word, self._ports.clock.now())
        if operation is None:
            raise refusal(
                Code.NOT_FOUND,
                f"no run {report.batch_id} waits for a report of {who.identity.user}",
                hint="it was reported before, made its writes itself, or was asked for by somebody else",
            )
        self._ports.metrics.batch_operation(operation, word)
        return BatchReported(batch_id=report.batch_id, result=word)

    async def _recorded(self, run: BatchRun) -> BatchResult:
        progress = Progress()
        word: RunResult = "interrupted"
        try:
            await self._work(run, progress)
            word = progress.word(run)
            if run.request.by_caller and not run.request.dry_run:
                word = "running"
        finally:
            result = progress.result(run, self._settings)
            if word != "running":  # else its end is the caller's to report
                self._ports.metrics.batch_operation(run.request.operation.value, word)
                await asyncio.shield(self._finish(run, result, word))
        if progress.unknown:
            raise _no_token(run.request)
        return result

    async def _finish(self, run: BatchRun, result: BatchResult, word: RunResult) -> None:
        for attempt in range(RECORD_ATTEMPTS):
            try:
                await self._ports.store.finish(run, result, word, self._ports.clock.now())
                return
            except HistoryUnavailable as error:
                log.warning("batch %s ended (%s), which is not recorded yet: %s", run.id, word, error.message)
                await asyncio.sleep(attempt + 1)
        log.error(
            "batch %s of %s ended (%s), which could not be recorded: %s",
            run.id,
            run.who.identity.user,
            word,
            result.model_dump_json(),
        )

    async def _work(self, run: BatchRun, progress: Progress) -> None:
        chosen = selection(run.request, self._settings, run.started_at)
        most = run.request.limit
        found = await self._ports.store.candidates(chosen, run.namespaces, self._settings, run.started_at, most + 1)
        progress.left_over = len(found) - most
        token = run.who.credential if not (run.request.dry_run or run.request.by_caller) else None
        queue = list(reversed(found[:most]))
        deadline = asyncio.get_running_loop().time() + RUN_SECONDS

        async def worker() -> None:
            while queue and not progress.unknown and asyncio.get_running_loop().time() < deadline:
                await self._item(run, queue.pop(), token, progress)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_A_TIME, len(queue))):
                group.create_task(worker())
        progress.left_over = max(0, progress.left_over) + len(queue)

    async def _item(self, run: BatchRun, item: Candidate, token: Credential | None, progress: Progress) -> None:
        try:
            if await self._applied(run, item, token):
                progress.affected.append(item.id)
        except NotFound:
            return  # gone meanwhile
        except Denied as error:
            progress.unknown |= error.status == UNKNOWN
            progress.failed(run, item, error)
        except Exception as error:
            progress.failed(run, item, error)

    async def _applied(self, run: BatchRun, item: Candidate, token: Credential | None) -> bool:
        """Read, decide, write with a precondition; again if it changed meanwhile. Whether it was, or would be, done."""
        for _ in range(ATTEMPTS):
            body = await self._ports.reader.contract(item.namespace, item.name)
            if body is None or body["metadata"]["uid"] != str(item.id):
                return False
            moment = Moment(run.who.identity.user, self._settings, self._ports.clock.now(), item.heard)
            found = step(run.request, Contract.from_object(body), moment)
            if found is None or token is None:
                return found is not None
            try:
                await self._write(run, token, body, found)
            except Conflict:
                continue
            return True
        raise too_fast()

    async def _write(self, run: BatchRun, token: Credential, body: JsonObject, found: Patch | Delete) -> None:
        meta = body["metadata"]
        if isinstance(found, Delete):
            key = ObjectKey(meta["namespace"], meta["name"], meta["uid"])
            await self._ports.writes.delete_contract(token, key, meta["resourceVersion"])
            return
        place = (meta["namespace"], meta["name"])
        await self._ports.writes.patch_contract(token, *place, operations(body, found), manager(run.who))


def _outside(named: Sequence[str], within: Sequence[str]) -> Refused:
    return refusal(
        Code.VALIDATION_FAILED,
        f"namespaces: {named[0]} is not in {', '.join(within[:5])}, which the address limits the call to",
        field="namespaces",
        hint="leave namespaces out of the body, or the namespace out of the address",
    )


def _is_empty(scope: Scope) -> bool:
    return not scope.everywhere and not scope.namespaces


def _no_right(who: Identity, missing: Sequence[str]) -> Refused:
    where = (
        f"in {', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}"
        if missing
        else "in any namespace that has contracts"
    )
    return refusal(
        Code.FORBIDDEN,
        f"{who.user} may not batch contracts.makima.dev {where}",
        hint=f"bind the role makima-batch (or makima-admin) to {who.user} there, or leave these namespaces out",
    )


def _no_token(request: BatchRequest) -> Refused:
    return refusal(
        Code.FORBIDDEN,
        "changes are made as whoever asks for them, and this call carries no token that the API server takes",
        hint=f"use a token for the API server itself, or: {by_hand(request.operation)}; dry_run works here, too",
    )
