"""`batch` while there are three statuses only: who writes by a kubeconfig chooses as the API does, in every state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from makima.cli.contracts.exits import Exit
from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest, aggregated_api, token_of
from tests.support.api_rules import TABLE
from tests.support.batch_world import BatchWorld
from tests.support.carried_world import CarriedWorld
from tests.support.command_line import Done, Stage

pytestmark = pytest.mark.xdist_group("aggregated")

FORWARDABLE = ("makima-batch", "makima-edit")
UNDER_WAY = {"created", "active", "waitingforinput", "blocked"}
FINISHED = {"completed", "failed"}


@pytest.fixture(scope="module")
def api(
    installed_cluster: Sandbox, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiUnderTest]:
    """An API process with the flag off, which the sandbox's API server forwards to."""
    folder, off = tmp_path_factory.mktemp("old"), {"feature_flags__enhanced_contract_status": False}
    with aggregated_api(installed_cluster, module_database, folder, **off) as found:
        yield found


@dataclass
class Both:
    """Somebody with both ways to the same contracts, of which there is one in each state, and one that is held."""

    stage: Stage
    direct: tuple[str, ...]
    names: dict[str, str]

    async def batch(self, *words: str) -> Done:
        command = ("batch", *words, "-o", "json", "--namespace", self.stage.namespace)
        return await asyncio.to_thread(self.stage.makima, "bea", *command)

    async def chosen(self, *words: str) -> set[str]:
        """Names of those that it is for; RBAC takes its moment."""
        async with asyncio.timeout(60):
            while (done := await self.batch(*words)).code == Exit.FORBIDDEN:
                await asyncio.sleep(0.3)
        answer: dict[str, Any] = done.ok().json
        assert answer["errors"] == []
        return {self.names[uid] for uid in answer["affected_ids"]}


@pytest.fixture
async def both(
    world: CarriedWorld, api: ApiUnderTest, installed_cluster: Sandbox, module_database: str, tmp_path: Path
) -> Both:
    """In a namespace of the test's own, with the test in the operator's place."""
    batch = BatchWorld(world, world, api, module_database)
    made = [(await batch.in_state(world, state, suspend=state == "Paused"), state.lower()) for state in TABLE]
    made.append((await batch.in_state(world, "Active", "held", suspend=True), "held"))
    stage = Stage(installed_cluster, world.namespace)
    await asyncio.to_thread(stage.bind, "bea", *FORWARDABLE)
    await world.account("bulk", *FORWARDABLE)
    token = tmp_path / "token"
    token.write_text(await token_of(world.admin, world.namespace, "bulk", audience=""))
    direct = ("--api", api.url, "--token-file", str(token))
    return Both(stage, direct, {str(uid): name for uid, name in made})


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("pause_all",), UNDER_WAY),
        (("pause_all", "--status", "active"), UNDER_WAY),
        (("pause_all", "--status", "paused,completing"), UNDER_WAY),
        (("resume_all",), {"paused", "held"}),
        (("archive_old",), FINISHED),
        (("archive_old", "--status", "completed"), FINISHED),
        (("archive_old", "--status", "failed"), FINISHED),
        (("cleanup_archived",), {"archived"}),
        (("restart_stale",), set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_both_ways_choose_the_same_and_so_does_who_writes(
    both: Both, words: tuple[str, ...], names: set[str]
) -> None:
    by_api = await both.chosen(*words, "--dry-run", *both.direct)
    by_kubeconfig = await both.chosen(*words, "--dry-run")
    assert (by_api, by_kubeconfig) == (names, names)
    assert await both.chosen(*words, "--force") == names, "decided by the command itself, on what is there"


@pytest.mark.parametrize(
    "words",
    [
        ("pause_all", "--status", "completed"),
        ("pause_all", "--status", "archived"),
        ("archive_old", "--status", "active"),
    ],
    ids=" ".join,
)
async def test_a_status_that_an_operation_is_not_for_is_refused_both_ways(both: Both, words: tuple[str, ...]) -> None:
    await both.chosen("resume_all", "--dry-run")
    await both.chosen("resume_all", "--dry-run", *both.direct)
    by_api, by_kubeconfig = await both.batch(*words, "--dry-run", *both.direct), await both.batch(*words, "--dry-run")
    assert (by_api.code, by_kubeconfig.code) == (Exit.REFUSED, Exit.REFUSED)
    refusal, _, _ = by_api.err.partition("next:")  # which goes to where each was asked
    assert by_kubeconfig.err.startswith(refusal) and "VALIDATION_FAILED" in refusal
    assert (await both.batch(*words, "--force")).code == Exit.REFUSED
