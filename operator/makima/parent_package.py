"""The packages `kubernetes` and `kubernetes.aio` without what their `__init__` import.

`import kubernetes.aio.client` runs both first. They import the client for threads with requests, oauthlib and
websocket, and a dynamic client with urllib3: 268 modules, 9 MiB and a fifth of a second (measured, 37.0) in each
process of makima, which uses nothing of them. Whoever does want a part (`kubernetes.client`, `kubernetes.config`, as a
login of kopf's own does) gets it by importing it.
"""

from __future__ import annotations

import importlib.util
import sys

NAMES = ("kubernetes", "kubernetes.aio")


def leave_unrun() -> None:
    """Have the packages found, and their `__init__` not run; where one was imported already, it stays."""
    for name in NAMES:
        spec = importlib.util.find_spec(name)
        if name not in sys.modules and spec is not None:
            sys.modules[name] = importlib.util.module_from_spec(spec)


leave_unrun()
