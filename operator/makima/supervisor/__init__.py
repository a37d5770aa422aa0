"""`makima.supervisor`: carry a contract from Python, or wrap any agent program (`makima supervise`).

```python
async with Supervisor() as supervisor:  # MAKIMA_API_URL, MAKIMA_CONTRACT, MAKIMA_TOKEN_FILE, MAKIMA_INCARNATION
    await supervisor.on_llm_response("The plan is written.")
    await supervisor.complete_deliverable("plan-document")
    await supervisor.ask_advance("execute")
```
"""

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
