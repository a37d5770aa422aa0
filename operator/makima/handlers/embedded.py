"""kopf inside `makima operator`: the same handlers as `kopf run -m makima.handlers`, with makima's configuration."""

from __future__ import annotations

import asyncio

import kopf

from makima import handlers
from makima.config import Config
from makima.handlers.process import KEY
from makima.wiring import OperatorProcess, configure_process_logging

__all__ = ["handlers", "run_operator"]


def run_operator(config: Config) -> None:
    """Run until a signal or an error ends it."""
    configure_process_logging(config)
    process = OperatorProcess(config)
    namespaces = config.operator.namespaces
    try:
        asyncio.run(kopf.operator(memo=kopf.Memo({KEY: process}), clusterwide=not namespaces, namespaces=namespaces))
    except Exception:
        if process.failure is None:
            raise
        raise process.failure from None
