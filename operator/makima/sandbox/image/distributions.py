"""What has to be installed for a distribution to run: itself, what it requires, and what that requires."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from makima.sandbox.folders import SandboxError


def required_distributions(name: str, extras: tuple[str, ...] = ()) -> dict[str, Distribution]:
    """By normalized name, the distribution included; of extras these, and those that a requirement names.

    Raises:
        SandboxError: one of them is not installed.
    """
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    while waiting:
        one = waiting.pop()
        key = (normalized(one[0]), one[1])
        if key in seen:
            continue
        seen.add(key)
        found[key[0]] = installed = _installed(one[0])
        for text in installed.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": one[1]}):
                waiting += [(needed.name, extra) for extra in ("", *needed.extras)]
    return found


def installed_files(installed: Distribution) -> Iterator[tuple[str, Path]]:
    """Path below site-packages, and file; without scripts, compiled modules and what was installed elsewhere."""
    for file in installed.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            where = Path(str(installed.locate_file(file)))
            if where.is_file():
                yield file.as_posix(), where


def normalized(name: str) -> str:
    """One spelling of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise SandboxError(f"{name} is not installed, and the image needs it", f"pip install {name}") from None
