"""`makima.supervisor`: carry a contract from Python, or wrap any agent program (`makima supervise`).

```python
async with Supervisor() as supervisor:  # MAKIMA_API_URL, MAKIMA_CONTRACT, MAKIMA_TOKEN_FILE, MAKIMA_INCARNATION
    await supervisor.on_llm_response("The plan is written.")
    await supervisor.complete_deliverable("plan-document")
    await supervisor.ask_advance("execute")
```
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from makima.errors import Superseded
    from makima.supervisor.client import Supervisor
    from makima.supervisor.credentials import ServiceAccountToken, TokenFile
    from makima.supervisor.errors import NotConfigured, Refused, Unreachable
    from makima.supervisor.place import Place, place_from
    from makima.supervisor.work import Question, Task

__all__ = [
    "NotConfigured",
    "Place",
    "Question",
    "Refused",
    "ServiceAccountToken",
    "Superseded",
    "Supervisor",
    "Task",
    "TokenFile",
    "Unreachable",
    "place_from",
]

if not TYPE_CHECKING:  # who checks types would take any name for one that is there

    def __getattr__(name: str) -> object:
        """What is asked for (PEP 562): `makima mcp`, started with each turn of an agent, needs neither it nor aiohttp.

        Raises:
            AttributeError: there is nothing of this name.
        """
        for module, names in _FOUND_IN.items():
            if name in names:
                return getattr(import_module(module), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_FOUND_IN = {
    "makima.errors": ("Superseded",),
    "makima.supervisor.client": ("Supervisor",),
    "makima.supervisor.credentials": ("ServiceAccountToken", "TokenFile"),
    "makima.supervisor.errors": ("NotConfigured", "Refused", "Unreachable"),
    "makima.supervisor.place": ("Place", "place_from"),
    "makima.supervisor.work": ("Question", "Task"),
}
