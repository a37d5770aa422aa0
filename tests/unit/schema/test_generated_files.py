"""What is shipped is what the models say: `make generate` would change nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from makima.schema import render
from makima.schema.needed import needed_objects
from makima.schema.output import generated_files
from makima.schema.version import SCHEMA_VERSION, SCHEMA_VERSION_ANNOTATION
from tests.support.yaml_documents import documents

ROOT = Path(__file__).parents[3]
FOLDERS = ("crds", "manifests/base")


@cache
def files() -> dict[str, str]:
    """Made once, and not while tests are collected: each worker of a run does that."""
    return generated_files()


def test_generated_files_are_up_to_date() -> None:
    stale = [name for name, text in files().items() if (ROOT / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run `make generate`"


def test_nothing_lies_beside_the_generated_files() -> None:
    there = {str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).glob("*.yaml")}
    assert there == {name for name in files() if name.endswith(".yaml") and name.startswith(FOLDERS)}


def test_the_same_models_give_the_same_bytes() -> None:
    assert generated_files() == files()


def test_what_is_installed_is_what_is_shipped() -> None:
    shipped = [
        document
        for name, text in files().items()
        if name.endswith(".yaml") and name.startswith(FOLDERS) and "kustomization" not in name
        for document in documents(text)
    ]
    installed = render()
    key = lambda item: (item["kind"], item["metadata"]["name"])  # noqa: E731  # said once, used twice
    assert sorted(shipped, key=key) == sorted(installed, key=key)


def test_crds_and_policies_carry_the_edition_that_the_code_needs() -> None:
    stamped = [item for item in render() if item["kind"].startswith(("Custom", "Validating"))]
    assert len(stamped) == 11
    for item in stamped:
        assert item["metadata"]["annotations"][SCHEMA_VERSION_ANNOTATION] == str(SCHEMA_VERSION)


def test_what_an_operator_looks_for_are_all_crds_and_policies() -> None:
    kinds = ("CustomResourceDefinition", "ValidatingAdmissionPolicy")
    made = [(item["apiVersion"], item["kind"], item["metadata"]["name"]) for item in render() if item["kind"] in kinds]
    assert made == [(item["apiVersion"], item["kind"], item["metadata"]["name"]) for item in needed_objects()]


def test_manifests_can_be_applied_one_after_the_other() -> None:
    order = [item["kind"] for item in render()]
    assert order[0] == "Namespace"
    assert order.index("ServiceAccount") < order.index("RoleBinding")
    assert order.index("ValidatingAdmissionPolicy") < order.index("ValidatingAdmissionPolicyBinding")
