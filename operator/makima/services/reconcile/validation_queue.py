"""Validators, asked beside the looks: one that takes its time holds up its own contract and no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from makima.domain.reconcile.validation import Question
from makima.ports import Validators
from makima.services.reconcile.contract_cache import Entry


class ValidationQueue:
    """Asks each question once; the verdict goes to the contract's entry, and the contract is looked at again.

    Attributes:
        on_verdict: called with the entry that has a new verdict.
    """

    def __init__(self, validators: Validators) -> None:
        self._validators = validators
        self._open: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self.on_verdict: Callable[[Entry], None] = lambda _entry: None

    def ask(self, entry: Entry, question: Question) -> None:
        """Ask, unless this very question is open; an older question about the same contract is given up."""
        uid = entry.key.uid
        before = self._open.get(uid)
        if before is not None and before[0] == question.fingerprint:
            return
        if before is not None:
            before[1].cancel()
        task = asyncio.create_task(self._answer(entry, question))
        self._open[uid] = question.fingerprint, task

    async def stop(self) -> None:
        """Give every open question up."""
        tasks = [task for _, task in self._open.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._open.clear()

    async def _answer(self, entry: Entry, question: Question) -> None:
        verdict = await self._validators.ask(question, entry.body)
        if self._open.get(entry.key.uid, ("", None))[0] == question.fingerprint:
            del self._open[entry.key.uid]
        entry.verdict = verdict
        self.on_verdict(entry)
