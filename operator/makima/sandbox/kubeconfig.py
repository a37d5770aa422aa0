"""kubeconfig files of the sandbox's users."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from makima.sandbox.private_file import write_private

CONTEXT = "makima-sandbox"


def write_kubeconfig(file: Path, server: str, authority: Path, user: dict[str, Any]) -> Path:
    """A kubeconfig with one context, for this user only (JSON is YAML too)."""
    cluster = {"server": server, "certificate-authority": str(authority)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }
    return write_private(file, json.dumps(content, indent=1).encode())
