"""Writing files that only this user may read: keys, kubeconfigs, addresses with passwords."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(file: Path, content: bytes) -> Path:
    """Write the whole file or nothing, whoever else writes it at the same moment; mode 0600."""
    handle, fresh = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
    return Path(fresh).replace(file)
