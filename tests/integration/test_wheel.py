"""The wheel, installed beside nothing: it has CRDs, policies and migrations in it, and works in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from makima import database
from makima.schema import render
from makima.schema.output import to_yaml

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"

Run = Callable[..., str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds, and no more."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-c", BUILD, str(folder)]
    wheel = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()[-1]
    target = folder / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(folder / wheel)], check=True, capture_output=True)
    return target


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Run Python on the installed wheel in an empty folder, with no setting of makima's; what it prints."""

    def run(*words: str) -> str:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKIMA_")}
        environment["PYTHONPATH"] = str(installed)
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert not list(tmp_path.iterdir())
        return done.stdout

    return run


def test_it_is_the_wheel_that_runs(installed: Path, run: Run) -> None:
    assert Path(run("-c", "import makima; print(makima.__file__)").strip()).is_relative_to(installed)


def test_crds_policies_and_roles_are_those_of_the_sources(run: Run) -> None:
    assert run("-m", "makima", "install", "--print") == to_yaml(render())


def test_manifests_to_apply_by_hand_come_along(installed: Path) -> None:
    for folder in ("crds", "manifests"):
        there = {file.relative_to(ROOT) for file in (ROOT / folder).rglob("*.yaml")}
        assert there
        assert {file.relative_to(installed / "share/makima") for file in (installed / "share").rglob("*.yaml")} >= there


def test_it_makes_the_whole_schema_of_the_history(run: Run, empty_database_url: str) -> None:
    run("-m", "makima", "migrate", "up", "--database-url", empty_database_url)
    status = database.schema_status(empty_database_url)
    assert status.current == status.head
