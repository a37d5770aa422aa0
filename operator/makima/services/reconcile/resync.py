"""A periodic comparison of three lists: what the cluster has, what the operator knows, what the history calls alive.

What is compared against the cluster's list is taken before that list, so a contract made meanwhile is never taken for
gone.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from makima.errors import ClusterError, HistoryUnavailable
from makima.ports import ObjectKey

if TYPE_CHECKING:
    from makima.services.reconcile.operator import ContractOperator

log = logging.getLogger(__name__)


async def resync(operator: ContractOperator) -> None:
    """Bring the three lists together; what can't be reached now is compared the next time."""
    known = [entry.key.uid for entry in operator.cache.entries()]
    alive = await _alive(operator)
    try:
        existing = {key.uid: key for key in await operator.ports.cluster.list_contract_keys()}
        for uid in known:
            if uid not in existing:
                operator.contract_gone(uid)
        operator.recorder.gone([uid for uid in alive if uid not in existing])
        await _see_unknown(operator, list(existing.values()))
        for companion in operator.companions:
            await companion.compare()
    except ClusterError as error:
        log.warning("resync: the cluster's list is not to be had: %s", error)


async def _alive(operator: ContractOperator) -> list[str]:
    try:
        return [uid for uid, _, _ in await operator.history.live_uids()]
    except HistoryUnavailable as error:
        log.warning("resync: the history's list is not to be had: %s", error)
        return []


async def _see_unknown(operator: ContractOperator, keys: list[ObjectKey]) -> None:
    """A watch that lost an object (seen with kopf's streaming listing) is made good here."""
    for key in keys:
        if operator.cache.get(key.uid) is None:
            body = await operator.ports.cluster.contract(key.namespace, key.name)
            if body is not None:
                operator.see_contract("ADDED", body)
