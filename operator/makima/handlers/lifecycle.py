"""Start-up and clean-up of the operator's process: settings of kopf, leadership, the operator itself.

Start-up does not return until this process leads: a standby watches nothing and writes nothing. Leadership is given
up by exiting, so `kopf run` obeys it like `makima operator` (design, "Ordering" 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import kopf

from makima.config import load_config
from makima.errors import MakimaError
from makima.handlers.jobs import watch_jobs
from makima.handlers.memoryless import NoDiffBase, NoProgress
from makima.handlers.pods import watch_pods
from makima.handlers.process import KEY
from makima.handlers.supervisors import watch_supervisors
from makima.ports import CONTRACTS_PAGE
from makima.watch_wiring import watch_session
from makima.wiring import OperatorProcess


@kopf.on.login()
async def login(memo: kopf.Memo, **_: Any) -> kopf.AiohttpSession:
    """The operator's own credentials; asked for again when they expire."""
    process: OperatorProcess = memo[KEY]
    return await watch_session(process.config, process.operator.queue)


@kopf.on.startup(errors=kopf.ErrorsMode.PERMANENT)
async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Configure kopf, wait for leadership, and begin."""
    process: OperatorProcess = memo.get(KEY) or OperatorProcess(load_config())
    configure(settings)
    memo[KEY] = process
    try:
        await process.lead()
    except MakimaError as error:
        process.failure = error
        raise kopf.PermanentError(str(error)) from error
    if process.supervision is not None:  # kopf looks for what is to be watched only after start-up
        watch_supervisors()
        watch_pods(settings)
        watch_jobs(settings)


@kopf.on.cleanup()
async def stop(memo: kopf.Memo, **_: Any) -> None:
    """Stop working, then let go of the Lease, so that a standby takes over at once."""
    process: OperatorProcess | None = memo.get(KEY)
    if process is not None:
        await process.close()


def configure(settings: kopf.OperatorSettings) -> None:
    """kopf's settings, each on purpose (measured on 1.45.2; design, "Measured")."""
    settings.posting.enabled = False  # Events are ours: stable reasons, sent after the write
    settings.peering.standalone = True  # leadership is a Lease; peering joins any object named `default`
    settings.scanning.disabled = True  # the three kinds are known; no rights to watch CRDs and namespaces needed
    settings.watching.initial_streaming = False  # a stream cut midway silently loses objects
    settings.watching.chunk_size = CONTRACTS_PAGE  # a list that can't be continued begins again (`watch_wiring`)
    settings.watching.inactivity_timeout = 86_400  # silence is noticed by our session (`SilenceNoticed`)
    settings.watching.server_timeout = 300  # a watch is renewed now and then, whatever is between us and the server
    # Handlers only hand over: keep no worker per object, and few at a time. Thousands at once, as a listing starts
    # them, make one turn of the event loop take a second, in which no write gets on (restart with 5,000: 4.3 instead of
    # 5.0 s).
    settings.queueing.idle_timeout = 0.01  # not 0: then kopf 1.45 never ends a worker
    settings.queueing.worker_limit = 64
    settings.networking.error_backoffs = Patience()
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()


class Patience:
    """Back-offs without end: an API server that is away for long must not end the operator (as it comes: 63 s)."""

    def __iter__(self) -> Iterator[float]:
        return chain((0.1, 0.3, 0.5, 1.0, 2.0), repeat(3.0))
