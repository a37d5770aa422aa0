"""One supervisor per contract and one writer per conversation on this host: locked files, free when a process ends.

Across hosts the incarnation does the same (fencing); a lock saves the work of finding out late.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from makima.errors import MakimaError

STATE_DIR = "MAKIMA_STATE_DIR"


class Held(MakimaError):
    """Another process has it."""


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where this host remembers: MAKIMA_STATE_DIR, else XDG's state folder, else a temporary one of this user."""
    given = environment.get(STATE_DIR)
    home = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/")) / ".local" / "state")
    temporary = Path(tempfile.gettempdir()) / f"makima-{os.getuid()}"
    for folder in [Path(given)] if given else [Path(home) / "makima", temporary]:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    raise MakimaError("there is no folder to keep locks in", hint=f"name one that can be written: {STATE_DIR}")


class LockedFile:
    """A file that one process at a time has; what was noted in it stays when that process is gone."""

    def __init__(self, folder: Path, kind: str, name: str, what: str) -> None:
        """`what` is for the error: what another process has."""
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        self._path = folder / f"{kind}-{digest}.lock"
        self._what = what
        self._file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            noted = self.noted()
            self._file.close()
            raise Held(
                f"{self._what} belongs to process {noted.get('pid', 'unknown')} on this host",
                hint="two writers would spoil it: end that process first",
            ) from None

    def noted(self) -> dict[str, Any]:
        """What the last holder noted."""
        self._file.seek(0)
        try:
            found = json.loads(self._file.read(4096) or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def note(self, **facts: object) -> None:
        """Note this, and who has the file."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"pid": os.getpid(), **facts}))
        self._file.flush()

    def release(self) -> None:
        """Let others have it. The file stays: removing it would let two have it at once."""
        self._file.close()
