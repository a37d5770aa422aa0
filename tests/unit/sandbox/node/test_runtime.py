"""How containerd calls runc: ours knows no seccomp and gets bundles without it, the machine's own gets them as is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from makima.sandbox.node.bundle import remove_seccomp
from makima.sandbox.node.programs import RUNC, RUNTIME, one_node_folder

CONFIG = {"process": {"args": ["a"]}, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}, "namespaces": []}}
WITHOUT = {"process": {"args": ["a"]}, "linux": {"namespaces": []}}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def config(bundle: Path) -> object:
    return json.loads((bundle / "config.json").read_text())


def test_the_profile_is_taken_out_of_the_bundle_and_nothing_else(bundle: Path) -> None:
    remove_seccomp(["--root", "/run/x", "create", "--bundle", str(bundle), "id"])
    assert config(bundle) == WITHOUT


def a_runc(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('#!/bin/sh\necho "runc got: $*"\n')
    file.chmod(0o755)
    return file


@pytest.mark.parametrize(
    ("own", "command", "left"),
    [(False, "create", WITHOUT), (False, "delete", CONFIG), (True, "create", CONFIG), (True, "delete", CONFIG)],
)
def test_runc_is_called_with_what_it_can_do(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, own: bool, command: str, left: object
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(bundle / "cache with space"))
    runc = a_runc(bundle / "own" / "runc" if own else RUNC.file)
    folder = one_node_folder(bundle / "bin", {"runc": runc})
    call = ["--root", "/run/x", command, "--bundle", str(bundle), "id"]
    done = subprocess.run([folder / RUNTIME, *call], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == f"runc got: {' '.join(call)}\n"
    assert config(bundle) == left
