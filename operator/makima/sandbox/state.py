"""What is known about a sandbox between two commands: one JSON file in its folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from makima.sandbox.folders import sandboxes_folder
from makima.sandbox.private_file import write_private

FILE = "sandbox.json"


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Complete or not at all; for this user only, since a database address may carry a password."""
    write_private(folder / FILE, json.dumps(state, indent=1).encode())


def read_state(folder: Path) -> dict[str, Any] | None:
    """The state, or None where there is no sandbox."""
    try:
        found: dict[str, Any] = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return None
    return found


def forget(folder: Path) -> None:
    """Take a sandbox's folder away, its state first: who meets half of a folder sees that there is no sandbox."""
    (folder / FILE).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def known_sandboxes() -> list[str]:
    """Names of all sandboxes of this user, running or left behind."""
    folder = sandboxes_folder()
    return sorted(file.parent.name for file in folder.glob(f"*/{FILE}")) if folder.exists() else []
