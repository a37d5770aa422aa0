"""Where a sandbox keeps what: built programs once per user, everything else in a folder per sandbox."""

from __future__ import annotations

import os
import re
from pathlib import Path

from makima.errors import MakimaError

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?")


class SandboxError(MakimaError):
    """The sandbox can't do what was asked."""


def cache_folder() -> Path:
    """The user's cache folder for makima (XDG_CACHE_HOME, or ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "makima"


def programs_folder() -> Path:
    """Where built programs are kept, by the version that they are."""
    return cache_folder() / "programs"


def sandboxes_folder() -> Path:
    """The parent of all sandboxes of this user."""
    return cache_folder() / "sandboxes"


def sandbox_folder(name: str) -> Path:
    """The folder of one sandbox.

    Raises:
        SandboxError: the name can't be a folder's.
    """
    if not NAME.fullmatch(name):
        raise SandboxError(
            f"{name!r} can't be the name of a sandbox", "use lower-case letters, digits and hyphens, 42 at most"
        )
    return sandboxes_folder() / name
