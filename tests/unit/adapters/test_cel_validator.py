"""CEL validators: what expressions see and may answer, and that hostile ones cost nobody else anything."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from makima.adapters.validators import GateValidators
from makima.adapters.validators.answer import LONGEST_ITEM, MOST_ITEMS, ValidatorFailed
from makima.domain.reconcile.validation import Question, Verdict
from makima.models.gate import Validator

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONTRACT: dict[str, Any] = {
    "metadata": {"name": "a", "namespace": "ns", "managedFields": [{"manager": "kubectl"}]},
    "spec": {"description": "text", "n": 3},
    "status": {
        "deliverables": [{"phase": "plan", "id": "doc"}, {"phase": "execute", "id": "code"}],
        "tasks": [
            {"id": "t1", "name": "one", "phase": "plan", "state": "Completed"},
            {"id": "t2", "name": "two", "phase": "execute", "state": "Failed"},
        ],
    },
}
ENDLESS = "true"
for depth in range(8):
    ENDLESS = f"[{','.join(map(str, range(30)))}].all(v{depth}, {ENDLESS})"
HUGE = "['" + "x" * 500 + "']" + ".map(s, s + s)" * 24
"""8 GiB, within the 1024 characters that the CRD lets through."""


class NoApiServer:
    """CEL needs none."""

    async def request(self, method: str, path: str) -> dict[str, Any]:
        raise AssertionError("CEL does not call the API server")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def validators() -> AsyncIterator[GateValidators]:
    """One for all tests, as there is one for all contracts; a worker takes half a second to start."""
    validators = GateValidators(NoApiServer(), lambda: NOW)
    yield validators
    await validators.close()


def question(expression: str, **settings: object) -> Question:
    validator = Validator.model_validate({"cel": {"expression": expression}, "timeoutSeconds": 30, **settings})
    return Question("fp", "plan", validator)


async def ask(validators: GateValidators, expression: str, **settings: object) -> Verdict:
    return await validators.ask(question(expression, **settings), CONTRACT)


@pytest.mark.parametrize(
    "expression",
    [
        "true",
        "[]",
        "contract.spec.n > 2 && contract.metadata.name == 'a'",
        "phase == 'plan'",
        "deliverables == ['doc']",
        "tasks.all(t, t.state == 'Completed') && size(tasks) == 1",
        "!has(contract.metadata.managedFields)",
        "['doc'].filter(d, !(d in deliverables))",
    ],
)
async def test_an_expression_sees_the_contract_and_its_phase(validators: GateValidators, expression: str) -> None:
    assert await ask(validators, expression) == Verdict("fp", NOW, ready=True)


async def test_false_says_so_and_a_list_says_what_is_missing(validators: GateValidators) -> None:
    verdict = await ask(validators, "contract.spec.n > 9")
    assert (verdict.ready, verdict.failed) == (False, False)
    assert verdict.missing == ("validator cel: the expression gives false",)
    assert (await ask(validators, "['tests', 'docs']")).missing == ("tests", "docs")


async def test_what_is_missing_is_bounded(validators: GateValidators) -> None:
    many = await ask(validators, "[" + "'x'," * 99 + "'x']")
    assert len(many.missing) == MOST_ITEMS
    long = await ask(validators, f"['{'y' * 800}', 'a\\nb']")
    assert [len(item) for item in long.missing] == [LONGEST_ITEM, 3]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("phase ==", "Failed to parse"),
        ("nonsense", "Undefined variable"),
        ("contract.spec.absent == 1", "has()"),
        ("1 / 0 == 1", "division by zero"),
        ("1", "it gives int"),
        ("'text'", "it gives str"),
        ("{'a': 1}", "it gives dict"),
        ("null", "it gives NoneType"),
        ("timestamp('2026-01-01T00:00:00Z')", "it gives datetime"),
        ("[1, 'a']", "a list with other items"),
    ],
)
async def test_a_wrong_expression_fails_with_what_to_do(validators: GateValidators, expression: str, said: str) -> None:
    verdict = await ask(validators, expression)
    assert verdict.failed
    assert not verdict.ready
    (text,) = verdict.missing
    assert text.startswith("validator cel: ")
    assert said in text
    assert "mend the expression" in text
    assert len(text) <= LONGEST_ITEM


async def test_a_failure_passes_where_failures_are_ignored(validators: GateValidators) -> None:
    verdict = await ask(validators, "nonsense", failurePolicy="Ignore")
    assert verdict.ready
    assert verdict.failed
    assert verdict.missing


async def test_an_expensive_expression_is_stopped_and_the_next_is_answered(validators: GateValidators) -> None:
    await ask(validators, "true")
    worker = process_of(validators)
    verdict = await ask(validators, ENDLESS, timeoutSeconds=1)
    assert verdict.failed
    assert "no result after 1 s" in verdict.missing[0]
    assert not alive(worker)
    assert (await ask(validators, "true")).ready


async def test_an_expression_that_wants_all_memory_ends_its_worker_only(validators: GateValidators) -> None:
    with pytest.raises(ValidatorFailed, match="too much memory"):
        await validators._cel.evaluate(HUGE, {}, 60)  # with the usual 2 s a slow machine meets the time limit first
    assert (await ask(validators, "true")).ready


async def test_a_worker_that_died_meanwhile_is_replaced(validators: GateValidators) -> None:
    await ask(validators, "true")
    worker = process_of(validators)
    os.kill(worker, signal.SIGKILL)
    first, second = await ask(validators, "true"), await ask(validators, "true")
    assert first.ready or first.failed  # whichever was noticed first: the death, or the question
    assert second.ready
    assert process_of(validators) != worker


async def test_a_question_that_is_given_up_leaves_nothing_out_of_step(validators: GateValidators) -> None:
    await ask(validators, "true")
    asking = asyncio.create_task(ask(validators, ENDLESS))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await ask(validators, "['next']")).missing == ("next",)


async def test_many_at_once_each_get_their_own_answer(validators: GateValidators) -> None:
    verdicts = await asyncio.gather(*(ask(validators, f"['{number}']") for number in range(50)))
    assert [verdict.missing for verdict in verdicts] == [(str(number),) for number in range(50)]


async def test_the_worker_knows_no_secret_of_the_operator(
    validators: GateValidators, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKIMA_DATABASE_URL", "postgresql://user:secret@db/x")
    await ask(validators, "true")
    with open(f"/proc/{process_of(validators)}/environ", "rb") as environ:  # noqa: PTH123, ASYNC230  # /proc is memory
        assert b"secret" not in environ.read()


async def test_closing_ends_the_worker_and_may_be_done_twice(validators: GateValidators) -> None:
    await ask(validators, "true")
    worker = process_of(validators)
    await validators.close()
    await validators.close()
    assert not alive(worker)


def process_of(validators: GateValidators) -> int:
    process = validators._cel._process
    assert process is not None
    return process.pid


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
