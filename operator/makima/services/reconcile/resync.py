"""A periodic comparison of three lists: what the cluster has, what the operator knows, what the history calls alive.

A contract that is newer in the cluster than the operator knows it is read and seen as from a watch.

What is compared against the cluster's list is taken before that list, so a contract made meanwhile is never taken for
gone.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from makima.errors import ClusterError, HistoryUnavailable
from makima.ports import ObjectKey
from makima.services.reconcile.contract_cache import version_number

if TYPE_CHECKING:
    from makima.services.reconcile.operator import ContractOperator

log = logging.getLogger(__name__)


async def resync(operator: ContractOperator) -> None:
    """Bring the three lists together; what can't be reached now is compared the next time."""
    known = [entry.key.uid for entry in operator.cache.entries()]
    alive = await _alive(operator)
    try:
        versions = await operator.ports.cluster.list_contract_versions()
        existing = {key.uid for key in versions}
        for uid in known:
            if uid not in existing:
                operator.contract_gone(uid)
        operator.recorder.gone([uid for uid in alive if uid not in existing])
        await _see_missed(operator, versions)
        operator.look_for_types()
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


async def _see_missed(operator: ContractOperator, versions: dict[ObjectKey, str]) -> None:
    """What a watch lost (seen with kopf's streaming listing) is read, and seen as if the watch had shown it."""
    for key, version in versions.items():
        entry = operator.cache.get(key.uid)
        if entry is not None and entry.version >= version_number(version):
            continue
        body = await operator.ports.cluster.contract(key.namespace, key.name)
        if body is not None:
            operator.see_contract("ADDED" if entry is None else "MODIFIED", body)
