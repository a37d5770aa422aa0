"""One at a time across processes: building programs, and starting a sandbox that several test workers share."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Hold a lock on `file`; waits for whoever has it. The kernel frees it when the holder dies.

    Its folder is there already: whoever made it here would make that of a sandbox that was just taken away again.
    """
    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
