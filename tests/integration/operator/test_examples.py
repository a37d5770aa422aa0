"""The examples as they stand: taken by the API server to the letter, and carried on where kubectl is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from makima.adapters.kubernetes.connection import Connection
from tests.support.driven import Driven
from tests.support.kube import Body, Person
from tests.support.operator_process import OperatorUnderTest

EXAMPLES = Path(__file__).parents[3] / "examples"
FILES = sorted(path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*.yaml"))
PLURALS = {"Contract": "contracts", "ContractType": "contracttypes", "ConfigMap": "configmaps"}


async def apply(driven: Driven, file: Path | str, **query: str) -> list[Body]:
    """Create what the file holds; an unknown or misspelt field is an error."""
    made = []
    for body in yaml.safe_load_all((EXAMPLES / file).read_text()):
        root = "/api/v1" if body["apiVersion"] == "v1" else f"/apis/{body['apiVersion']}"
        path = f"{root}/namespaces/{driven.admin.namespace}/{PLURALS[body['kind']]}"
        strict = {"fieldValidation": "Strict", **query}
        made.append(await driven.admin.connection.request("POST", path, body=body, query=strict))
    return made


async def deliver(driven: Driven, name: str, *deliverables: tuple[str, str]) -> None:
    """What kubectl patch says in the example."""
    reported = [{"phase": phase, "id": identity} for phase, identity in deliverables]
    await driven.admin.patch_spec(name, deliverables=reported)


async def advance(driven: Driven, name: str, to: str, **more: Any) -> None:
    """One move by hand."""
    version = (await driven.status(name))["version"]
    await driven.admin.patch_spec(name, advance={"to": to, "expectedVersion": version, **more})


async def until_in(driven: Driven, name: str, phase: str) -> None:
    await driven.until(name, lambda status: status.get("phase") == phase, 120)


async def until_completed(driven: Driven, name: str) -> None:
    await driven.until(name, lambda status: status.get("state") == "Completed", 120)


@pytest.mark.parametrize("file", FILES, ids=str)
async def test_an_example_is_taken_to_the_letter(admin: Connection, namespace: str, file: Path) -> None:
    assert await apply(Driven(Person("admin", "admin", admin, namespace)), file, dryRun="All")


async def test_simple_is_carried_by_hand(driven: Driven, operator: OperatorUnderTest) -> None:
    await apply(driven, "simple/contract.yaml")
    plan, pull_request = ("plan", "plan-document"), ("execute", "pull-request")
    await deliver(driven, "tidy-up", plan)
    await until_in(driven, "tidy-up", "execute")
    await deliver(driven, "tidy-up", plan, pull_request)
    await until_completed(driven, "tidy-up")


async def test_a_type_with_every_gate_is_gone_through(driven: Driven, operator: OperatorUnderTest) -> None:
    await apply(driven, "custom-type/type.yaml")
    await apply(driven, "custom-type/contract.yaml")
    name, inventory, report = "to-postgres-18", ("survey", "inventory"), ("verify", "report")
    await deliver(driven, name, inventory)
    await until_in(driven, name, "convert")  # prepare has no tasks, and that will do
    await advance(driven, name, "switch", force=True, reason="both tasks were done by hand")
    await until_in(driven, name, "switch")
    await advance(driven, name, "verify", force=True, reason="backup and cut-over were done by hand")
    await until_in(driven, name, "verify")
    await deliver(driven, name, inventory, report)
    await until_in(driven, name, "approve")
    await advance(driven, name, "hand-over", force=True, reason="there is no such Service here")
    await until_in(driven, name, "hand-over")
    await advance(driven, name, "Completed")
    await until_completed(driven, name)
