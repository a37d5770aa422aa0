"""examples/agent-cli on a real node: codex itself in a pod, its model a stand-in of this machine.

What is changed of the example: the image's name, where the model is, and the words that make the stand-in call a tool.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from makima.sandbox import Sandbox
from makima.sandbox.image.makima_image import write_makima_image
from tests.e2e.conftest import GIT_AND_SHELL, world_of_pods
from tests.e2e.in_pods import InPods
from tests.e2e.kubectl import Kubectl
from tests.e2e.release import ROOT
from tests.support.forwarding import forwarded
from tests.support.kills.run import Run
from tests.support.kills.world import World, contract_id
from tests.support.model_double import ModelDouble
from tests.support.real_agents import CannotBeHad, installed

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("node"),
    pytest.mark.exhaustive,
]

EXAMPLE = ROOT / "examples" / "agent-cli" / "contract.yaml"
IMAGE = "localhost/makima-codex:test"
NAME = "write-tests"
SECONDS = 300.0
PROMPT = 'CALL[complete_deliverable {"deliverable": "plan-document"}]'


@dataclass
class There:
    """The world, the model, and kubectl where the example is."""

    world: World
    model: ModelDouble
    kubectl: Kubectl

    async def until(self, state: str, phase: str) -> dict[str, Any]:
        """Wait for the contract; shows what its pods said if it does not come."""
        try:
            return await self.world.driven.until(
                NAME, lambda now: now.get("state") == state and now.get("phase") == phase, SECONDS
            )
        except AssertionError as error:
            raise AssertionError(f"{error}\n{await self.world.supervisors.words(NAME)}") from None

    async def until_told(self, words: str, since: int = 0) -> None:
        """Wait until the model was told so, in a call after the first `since`."""

        def told(_: dict[str, Any]) -> bool:
            return any(words in text for call in self.model.asked[since:] for _, text in call)

        await self.world.driven.until(NAME, told, SECONDS)

    async def until_freed(self) -> None:
        """Wait until its first pod is gone: it may go before the model hears what became of its last call."""
        pods = self.world.supervisors
        assert isinstance(pods, InPods)
        await pods.until_gone(f"{NAME}-1")

    def confirm(self, to: str, version: int) -> None:
        """What a person says."""
        advance = {"to": to, "expectedVersion": version, "confirmed": True}
        patch = json.dumps({"spec": {"advance": advance}})
        self.kubectl.run("patch", "contract", NAME, "--type=merge", "-p", patch)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(installed_node: Sandbox, image: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[There]:
    """A node that has codex in an image, as the example's Dockerfile lines make it."""
    try:
        codex = installed("codex")
    except CannotBeHad as error:
        pytest.skip(f"codex can't be had: {error}")
    folder = tmp_path_factory.mktemp("codex")
    archive = folder / "codex.tar"
    write_makima_image(archive, GIT_AND_SHELL, name=IMAGE, files={"/usr/local/bin/codex": codex.binary})
    assert installed_node.node is not None
    installed_node.node.load(archive)
    archive.unlink()
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(ModelDouble().serve())
        host = str(installed_node.node.addresses.host)
        port = stack.enter_context(forwarded(host, int(model.url.rpartition(":")[2].partition("/")[0])))
        world = await stack.enter_async_context(world_of_pods(installed_node, image, folder))
        pods = world.supervisors
        assert isinstance(pods, InPods)
        pods.kubectl.run("create", "secret", "generic", "agent", "--from-literal=OPENAI_API_KEY=dummy")
        pods.kubectl.apply(changed(EXAMPLE, f"http://{host}:{port}/v1"))
        world.crossing.expect(Run(NAME, contract_id(pods.kubectl.get("contract", NAME)), []))
        yield There(world, model, pods.kubectl)


def changed(example: Path, model: str) -> dict[str, Any]:
    """The example with another model, image and prompt."""
    body: dict[str, Any] = yaml.safe_load(example.read_text())
    (container,) = body["spec"]["supervisor"]["template"]["containers"]
    container["image"] = IMAGE
    provider = f'{{name="double",base_url="{model}",wire_api="responses",env_key="OPENAI_API_KEY"}}'
    settings = {
        "model": '"m"',
        "model_provider": '"double"',
        "model_providers.double": provider,
        "approval_policy": '"never"',
        "sandbox_mode": '"danger-full-access"',
    }
    program, verb, *options, _ = container["args"]
    options += [f"--config={name}={value}" for name, value in settings.items()]
    container["args"] = [program, verb, *options, PROMPT]
    return body


async def test_it_delivers_with_its_tools_and_waits_for_the_guard_without_a_pod(there: There) -> None:
    status = await there.until("WaitingForInput", "plan")
    while not status.get("deliverables"):
        status = await there.until("WaitingForInput", "plan")
    (delivered,) = status["deliverables"]
    assert (delivered["phase"], delivered["id"]) == ("plan", "plan-document")
    await there.until_freed()


async def test_after_the_confirmation_it_goes_on_and_the_contract_comes_to_its_end(there: There) -> None:
    asked = len(there.model.asked)
    status = await there.world.driven.until(NAME, lambda now: bool(now.get("deliverables")), SECONDS)
    there.confirm("execute", status["version"])
    await there.world.driven.until(NAME, lambda now: now.get("phase") == "execute", SECONDS)
    await there.until_told("execute", since=asked)
    reported = [{"phase": "execute", "id": "pull-request"}]
    there.kubectl.run("patch", "contract", NAME, "--type=merge", "-p", json.dumps({"spec": {"deliverables": reported}}))
    status = await there.world.driven.until(NAME, lambda now: len(now.get("deliverables", ())) == 2, SECONDS)
    there.confirm("Completed", status["version"])
    await there.until("Completed", "execute")
