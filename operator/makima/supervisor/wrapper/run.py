"""`makima supervise` from beginning to end: locks, orphans, register, run, exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from makima.errors import MakimaError, Superseded
from makima.models.wire.problem import Code
from makima.supervisor.client import Supervisor
from makima.supervisor.errors import Refused, Unreachable
from makima.supervisor.place import Place
from makima.supervisor.tools.actions import Actions
from makima.supervisor.tools.socket import ToolSocket
from makima.supervisor.wrapper import exit_codes, processes
from makima.supervisor.wrapper.briefing import Assignment
from makima.supervisor.wrapper.locks import Held, LockedFile, state_folder
from makima.supervisor.wrapper.recording import Recorder
from makima.supervisor.wrapper.session import Session

log = logging.getLogger(__name__)

INCARNATION = "incarnation"

CODES: dict[type[MakimaError | OSError], int] = {
    Superseded: exit_codes.SUPERSEDED,
    Held: exit_codes.SECOND_WRITER,
    Unreachable: exit_codes.UNREACHABLE,
    Refused: exit_codes.REFUSED,
    FileNotFoundError: exit_codes.NOT_FOUND,
    OSError: exit_codes.NOT_EXECUTABLE,
}
"""Exit code by what ended it; the first that fits."""


def supervise(place: Place, assignment: Assignment, *, take_over: bool = False) -> int:
    """Run it.

    Args:
        place: which contract, and where its API is.
        assignment: what is run.
        take_over: take the contract from another external supervisor that still lives.

    Returns:
        The exit code: the program's own, or one of `exit_codes`.
    """
    processes.become_subreaper()
    try:
        return asyncio.run(_supervise(place, assignment, take_over))
    except tuple(CODES) as error:
        log.error("%s", error)  # noqa: TRY400  # for people; a trace says nothing more
        return next(code for kind, code in CODES.items() if isinstance(error, kind))
    finally:
        processes.kill_now()


async def _supervise(place: Place, assignment: Assignment, take_over: bool) -> int:
    folder = state_folder(os.environ)
    lock = LockedFile(folder, "contract", f"{place.api_url} {place.contract}", f"the contract {place.contract}")
    try:
        while True:
            known = lock.noted().get(INCARNATION)
            code = await _life(place, assignment, folder, lock, take_over=take_over, known=known)
            if code != exit_codes.RESTART or place.incarnation is not None:
                return code  # a pod is started again by the operator
            take_over = True
    finally:
        lock.release()


async def _life(
    place: Place, assignment: Assignment, folder: Path, lock: LockedFile, *, take_over: bool, known: object
) -> int:
    async with await _registered(place, assignment, take_over, known) as supervisor:
        recorder = Recorder(supervisor, assignment.program, partial(_claim, folder, assignment.program.name))
        tools = _tools()
        told = assignment.with_tools(tools.path) if tools is not None else assignment
        session = Session(supervisor, told, recorder)  # before anything is awaited: commands may have come already
        _signals(session)
        lock.note(**{INCARNATION: supervisor.life.incarnation})
        mark = str(supervisor.life.contract_id)
        left = await processes.end(partial(processes.marked, mark), assignment.grace)
        if left:
            log.warning("ended %d processes that an earlier life of this contract left behind", left)
        actions = Actions(supervisor, recorder.ask, recorder.waits_for_confirmation)
        try:
            async with tools.serve(actions) if tools is not None else nullcontext():
                return await session.run()
        finally:
            recorder.release()


def _tools() -> ToolSocket | None:
    """Where the program may call; a pod without a writable folder has to do without."""
    try:
        return ToolSocket()
    except OSError as error:
        log.warning("the program gets no tools: there is no folder for their socket: %s", error)
        return None


async def _registered(place: Place, assignment: Assignment, take_over: bool, known: object) -> Supervisor:
    """A life that is ready to be entered.

    A life that ended without last words looks alive to the API service for a while. That it is not is known here: it
    was on this host, and its lock is free.
    """
    supervisor = Supervisor(place, take_over=take_over, patience=assignment.patience)
    try:
        await supervisor.register()
    except Refused as error:
        await supervisor.forget()
        current = error.problem.details.get("current")
        if error.code is not Code.CONFLICT or take_over or current is None or current != known:
            raise
        return await _registered(place, assignment, True, known)
    except BaseException:
        await supervisor.forget()
        raise
    return supervisor


def _claim(folder: Path, program: str, conversation: str) -> LockedFile:
    return LockedFile(folder, "conversation", f"{program} {conversation}", f"the conversation {conversation}")


def _signals(session: Session) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, session.end, number)
    loop.add_signal_handler(signal.SIGCHLD, processes.reap)
