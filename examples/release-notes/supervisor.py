"""Carries a `specification` contract: reads a git history and writes release notes, phase by phase.

A stand-in for an agent: no model, but real work, on `makima.supervisor` as any Python agent would be. Every step is a
message of the conversation and a save point, and has a key: so it may be killed at any moment, and the next life goes
on with the step after the last one that was acknowledged.

    MAKIMA_API_URL=… MAKIMA_CONTRACT=NAMESPACE/NAME MAKIMA_TOKEN_FILE=… python supervisor.py --repository DIR --out DIR
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from documents import DOCUMENTS, ORDERS, Commit, ReviewFailed, read_history

from makima.errors import MakimaError
from makima.models.enums import CommandKind, SupervisorState
from makima.models.wire.commands import Command
from makima.supervisor import Supervisor

PHASES = tuple(DOCUMENTS)
AGAIN_SECONDS = 0.2


class Author:
    """Writes the documents of one contract into a folder of its own, and says so."""

    def __init__(self, supervisor: Supervisor, commits: Sequence[Commit], out: Path) -> None:
        self.supervisor, self.commits, self.out = supervisor, commits, out
        self.sequence = supervisor.restoration.message_sequence

    async def carry(self) -> None:
        """Do the work of each phase the contract comes to, until it is completed."""
        picture = self.supervisor.picture
        while not picture.completed:
            phase = picture.phase
            await self._work_on(phase)
            await self._move_on(phase)

    async def _work_on(self, phase: str) -> None:
        document = DOCUMENTS[phase]
        self.supervisor.report(SupervisorState.WORKING, activity=f"writing {document.file}", progress=10)
        await self._say(phase, "begin", f"I begin with {document.file}; the history has {len(self.commits)} commits.")
        text = await self._document(phase)
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        await self._say(phase, "written", f"{document.file} is written: {len(text)} characters, {digest[:19]}.")
        uri = (self.out / document.file).resolve().as_uri()
        await self.supervisor.complete_deliverable(document.deliverable, phase=phase, uri=uri, digest=digest)
        self.supervisor.report(progress=100)

    async def _move_on(self, phase: str) -> None:
        """Ask for the next phase and wait until a person has confirmed it; again where somebody was quicker."""
        after = (*PHASES, "Completed")[PHASES.index(phase) + 1]
        picture = self.supervisor.picture
        while picture.phase == phase and not picture.completed:
            answer = await self.supervisor.ask_advance(after, reason=f"{DOCUMENTS[phase].deliverable} is there")
            if answer.outcome != "success":
                await asyncio.sleep(AGAIN_SECONDS)

    async def _document(self, phase: str) -> str:
        """What the phase wrote; made again where its file is not there, as on another host."""
        path = self.out / DOCUMENTS[phase].file
        if path.exists():
            return path.read_text()
        earlier = PHASES[: PHASES.index(phase)]
        before = {DOCUMENTS[each].deliverable: await self._document(each) for each in earlier}
        if phase == "specify":
            before["order"] = await self._order()
        text = DOCUMENTS[phase].write(self.commits, before)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(text)
        unfinished.replace(path)  # whole or not at all, whenever it is killed
        return text

    async def _order(self) -> str:
        """What a person says; a life that comes later asks the same question, and gets the same answer."""
        await self._say("specify", "ask", "I can't know in which order the commits of a section belong: I ask.")
        question = await self.supervisor.ask_question(
            "In which order should the commits of a section be?", ORDERS, key="order"
        )
        if not question.answer.done():
            print(f"question {question.id} waits for a person", flush=True)
        answer = await question.answer
        await self._say("specify", "answered", f"The answer is: {answer}.")
        return answer

    async def _say(self, phase: str, step: str, text: str) -> None:
        """A message, unless a life before this one has said it."""
        key = f"{phase}/{step}"
        if self.supervisor.knows(key):
            return
        await self.supervisor.on_llm_response(text, key=key)
        self.sequence += 1
        print(f"message {self.sequence} ({phase}): {text}", flush=True)


async def supervise(repository: Path, out: Path) -> None:
    """One life: from registering to the end of the contract."""
    commits = read_history(repository)
    if not commits:
        raise SystemExit(f"{repository} has no commits")
    async with Supervisor() as supervisor:
        found = supervisor.restoration
        print(f"life {supervisor.life.incarnation} begins: {found.outcome}, {found.reason}", flush=True)
        await run_until_stopped(supervisor, Author(supervisor, commits, out))
        print("the contract is completed" if supervisor.picture.completed else "told to stop", flush=True)


async def run_until_stopped(supervisor: Supervisor, author: Author) -> None:
    """Until the work is done or the contract has ended otherwise; says which in its last heartbeat."""
    work = asyncio.create_task(author.carry())

    async def stop(_: Command) -> None:
        if not supervisor.picture.completed:
            work.cancel()

    supervisor.on(CommandKind.STOP, stop)
    await asyncio.wait({work})
    if not work.cancelled():
        work.result()
    done = supervisor.picture.completed
    supervisor.report(SupervisorState.COMPLETED if done else SupervisorState.INTERRUPTED, activity="")
    await supervisor.heartbeat()
    await supervisor.settled(deadline=5)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repository", type=Path, default=Path())
    parser.add_argument("--out", type=Path, default=Path("release-notes"), help="a folder for this contract alone")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(supervise(options.repository, options.out))
    except (MakimaError, ReviewFailed) as error:
        print(f"supervisor: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
