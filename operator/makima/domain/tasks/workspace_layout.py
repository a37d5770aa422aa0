"""Where things are in a workspace, and containers that work on it with git."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from makima.domain.supervision.pod_spec import container_security, workspace_mount
from makima.models.contract_spec import Workspace

Manifest = dict[str, Any]


def worktree_path(workspace: Workspace, task_id: str) -> str:
    """Where a task's worktree is, as its pod sees it."""
    return str(PurePosixPath(inside(workspace, workspace.worktrees)) / task_id)


def inside(workspace: Workspace, folder: str) -> str:
    """A folder of the volume, as pods see it; it can't leave the volume."""
    parts = [part for part in PurePosixPath(folder).parts if part not in ("/", "..")]
    return str(PurePosixPath(workspace.mount_path, *parts))


def git_container(name: str, image: str, script: str, variables: dict[str, str], workspace: Workspace) -> Manifest:
    return {
        "name": name,
        "image": image,
        "command": ["sh", "-ec", script],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "volumeMounts": [workspace_mount(workspace)],
        "securityContext": container_security(read_only=True),
    }
