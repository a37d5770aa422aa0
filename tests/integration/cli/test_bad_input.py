"""What the API server refuses of what somebody wrote: said with the plan's code, and with what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from makima.cli.contracts.exits import Exit
from makima.cli.contracts.next_steps import FIELDS
from tests.support.command_line import Stage
from tests.support.kube import Body

LONG = "x" * 1_000_000
REFUSED: dict[str, tuple[Body, str]] = {
    "a megabyte of description": ({"description": LONG}, "Too long: may not be more than 8192 bytes"),
    "NUL": ({"description": "a\x00b"}, "VALIDATION_FAILED: spec.description has no NUL"),
    "no phases": ({"phases": []}, "VALIDATION_FAILED: there has to be a phase"),
    "a phase twice": ({"phases": [{"name": "do"}, {"name": "do"}]}, "more than one is called do"),
    "an unknown policy": (
        {"phases": [{"name": "do", "gate": {"requiredTasks": {"policy": "Some"}}}]},
        'Unsupported value: "Some"',
    ),
    "a number for a text": ({"description": 7}, "must be of type string"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_contract_that_can_not_be_is_refused_with_the_code_and_made_by_nobody(
    people: Stage, tmp_path: Path, what: str
) -> None:
    spec, says = REFUSED[what]
    manifest = tmp_path / "contract.yaml"
    manifest.write_text(yaml.safe_dump({"kind": "Contract", "metadata": {"name": "bad"}, "spec": spec}))
    done = people.makima("ed", "create", "-f", str(manifest), "--namespace", people.namespace)
    assert done.code == Exit.REFUSED
    assert done.err.startswith("error: VALIDATION_FAILED: ") and says in done.err
    assert f"next: {FIELDS}" in done.err and "Traceback" not in done.err
    assert "rules were not checked" not in done.err and not done.err.splitlines()[0].endswith("]")
    assert people.makima("ed", "show", f"{people.namespace}/bad").code == Exit.NOT_FOUND


def test_a_reason_too_long_says_so_and_pauses_nothing(people: Stage) -> None:
    people.create("goes-on")
    done = people.makima("ed", "pause", f"{people.namespace}/goes-on", "--reason", "x" * 2000, "--no-wait")
    assert done.code == Exit.REFUSED
    assert done.err.startswith("error: VALIDATION_FAILED: ") and "may not be more than 1024" in done.err
    assert f"next: {FIELDS}" in done.err
    assert "suspend" not in people.get("goes-on")["spec"] or people.get("goes-on")["spec"]["suspend"] is False
