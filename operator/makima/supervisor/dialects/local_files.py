"""Where a program keeps its conversations on this host, and whether one is there to be continued."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from glob import escape
from pathlib import Path


def is_here(program: str, conversation: str, environment: Mapping[str, str]) -> bool:
    """Whether the program's own files of this conversation are on this host.

    Args:
        program: its name in `makima.supervisor.dialects.programs`.
        conversation: the id that it gave.
        environment: of the program: HOME and what moves its files.
    """
    home = Path(environment.get("HOME") or Path.home())
    name = escape(conversation)
    match program:
        case "claude":
            folder = Path(environment.get("CLAUDE_CONFIG_DIR") or home / ".claude")
            return _any(folder / "projects", f"*/{name}.jsonl")
        case "codex":
            folder = Path(environment.get("CODEX_HOME") or home / ".codex")
            return _any(folder / "sessions", f"*/*/*/rollout-*-{name}.jsonl")
        case "opencode":
            folder = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
            return _has_session(folder / "opencode" / "opencode.db", conversation)
        case _:
            return False


def _any(folder: Path, pattern: str) -> bool:
    if "/" in pattern.replace("*/", "") or not folder.is_dir():
        return False  # an id with a slash is no file name
    return any(folder.glob(pattern))


def _has_session(database: Path, conversation: str) -> bool:
    if not database.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=2)) as connection:
            return connection.execute("SELECT 1 FROM session WHERE id = ?", (conversation,)).fetchone() is not None
    except sqlite3.Error:
        return False  # another layout than the one known: start from the messages instead
