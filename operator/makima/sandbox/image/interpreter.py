"""The running Python's own files: program and standard library, without what only people and builds use."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT = frozenset(
    {"__pycache__", "ensurepip", "idlelib", "lib2to3", "site-packages", "dist-packages", "test", "tests", "tkinter",
     "turtledemo"}
)  # fmt: skip
UNUSED_MODULES = ("_tkinter.", "_test", "_ctypes_test", "_xx", "xxlimited")


def interpreter() -> Path:
    """The program itself, never a venv's link to it."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return Path(base).resolve()


def standard_library() -> Iterator[Path]:
    """Its modules, extension modules included."""
    folders = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    base = Path(sys.base_prefix).resolve()
    for folder in sorted(one for one in folders if one.is_relative_to(base)):
        yield from python_files(folder)


def python_files(folder: Path) -> Iterator[Path]:
    """Every file below, but compiled ones, tests, and what LEFT_OUT names."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if entry.name not in LEFT_OUT and not entry.name.startswith("config-"):
                yield from python_files(entry)
        elif entry.suffix not in {".pyc", ".a"} and not entry.name.startswith(UNUSED_MODULES):
            yield entry
