"""Where the sandbox's programs come from, and what is said when they can't be had."""

from __future__ import annotations

import io
import os
import re
from importlib import resources
from pathlib import Path

import pytest

from makima.sandbox import c_compiler, go_build, go_toolchain, programs
from makima.sandbox.folders import SandboxError, sandbox_folder
from makima.sandbox.go_build import Progress
from makima.sandbox.helm import HELMS
from makima.sandbox.node.programs import CLUSTER, CONTAINERS, RUNC
from makima.sandbox.programs import PROGRAMS, Program, find_programs

QUIET = Progress(io.StringIO())


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path / "cache"


def a_program(file: Path, content: str = "#!/bin/sh\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    file.chmod(0o755)
    return file


def test_kubebuilder_assets_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in PROGRAMS:
        a_program(tmp_path / "assets" / program.name)
        a_program(program.file)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    assert {file.parent for file in find_programs(QUIET).values()} == {tmp_path / "assets"}


def test_incomplete_kubebuilder_assets_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    a_program(tmp_path / "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(SandboxError, match="lacks kube-apiserver, kubectl"):
        find_programs(QUIET)


def test_the_cache_comes_next_and_nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    for program in PROGRAMS:
        a_program(program.file)
    monkeypatch.setattr(programs, "build", lambda *_: pytest.fail("built although it is there"))
    assert find_programs(QUIET) == {program.name: program.file for program in PROGRAMS}


def test_what_is_nowhere_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def build(module: str, package: str, output: Path, flags: str, progress: Progress, *, needs_c: bool) -> None:
        built.append(package)
        a_program(output)

    monkeypatch.setattr(programs, "build", build)
    find_programs(QUIET)
    find_programs(QUIET)
    assert built == [program.package for program in PROGRAMS]


@pytest.mark.parametrize("program", [*PROGRAMS, *CLUSTER, *CONTAINERS, RUNC, *HELMS], ids=lambda program: program.name)
def test_the_versions_are_those_of_the_module_files(program: Program) -> None:
    text = (resources.files("makima.sandbox") / "go_modules" / program.module / "go.mod").read_text()
    required = re.findall(r"^(?:require |\t)(\S+) (v\S+)$", text, re.MULTILINE)
    own = program.module == "pause"  # its source is here, and its version is ours
    assert own or any(program.package.startswith(module) and version == program.version for module, version in required)


@pytest.mark.parametrize(("version", "enough"), [("go1.26.0", True), ("go1.27.3", True), ("go1.25.9", False)])
def test_a_go_on_path_is_used_if_it_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, enough: bool
) -> None:
    go = a_program(tmp_path / "bin" / "go", f"#!/bin/sh\necho go version {version} linux/amd64\n")
    monkeypatch.setenv("PATH", f"{go.parent}{os.pathsep}{os.environ['PATH']}")
    fetched: list[Path] = []
    monkeypatch.setattr(go_toolchain, "_fetch", fetched.append)
    assert (go_toolchain.go_command(QUIET) == str(go), len(fetched)) == (enough, 0 if enough else 1)


def test_a_failed_build_shows_the_compilers_last_lines_and_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go = a_program(tmp_path / "go", "#!/bin/sh\necho 'cannot find module' >&2\nexit 1\n")
    monkeypatch.setattr(go_build, "go_command", lambda _: str(go))
    output = tmp_path / "out" / "etcd"
    (tmp_path / "cache" / "makima" / "programs").mkdir(parents=True)
    with pytest.raises(SandboxError, match="cannot find module"):
        go_build.build("etcd", "go.etcd.io/etcd/server/v3", output, "", QUIET)
    assert not output.exists()


def test_progress_elsewhere_than_on_a_terminal_is_a_line_now_and_then() -> None:
    out = io.StringIO()
    progress = Progress(out)
    for number in range(100):
        progress.tell(f"{number} packages")
    progress.tell("built", last=True)
    assert out.getvalue().splitlines() == ["0 packages", "built"]


@pytest.mark.parametrize("name", ["", "Up", "a/b", "..", "-a", "a" * 50])
def test_a_name_that_can_be_no_folder_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="can't be the name"):
        sandbox_folder(name)


def test_a_c_compiler_with_its_headers_is_used_and_else_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_cache: Path
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(c_compiler, "fetch_wheel", lambda wheel, *_: fetched.append(wheel))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    a_program(tmp_path / "bin" / "cc", "#!/bin/sh\nexit 1\n")
    assert (
        c_compiler.c_compiler(QUIET) == f'"{empty_cache}/makima/{c_compiler.WHEEL.replace("==", "-")}/ziglang/zig" cc'
    )
    assert fetched == [c_compiler.WHEEL]
    works = a_program(tmp_path / "bin" / "gcc", "#!/bin/sh\nexit 0\n")
    assert c_compiler.c_compiler(QUIET) == str(works)
