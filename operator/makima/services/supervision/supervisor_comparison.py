"""Supervisors that are known, compared with those that there are: a watch may have missed something.

Level-triggered as `makima.services.reconcile.resync`, which asks for it. What is known is taken before the list, so a
Supervisor made meanwhile is never taken for gone.
"""

from __future__ import annotations

from collections.abc import Callable

from makima.ports import JsonObject, ObjectKey, Supervisors
from makima.services.reconcile.contract_cache import resource_version, version_number
from makima.services.supervision.supervisor_cache import SupervisorCache

Seen = Callable[[str | None, JsonObject], None]
"""Takes what a watch shows: ADDED, MODIFIED or DELETED, and the object."""


async def compare_supervisors(supervisors: Supervisors, cache: SupervisorCache, seen: Seen) -> None:
    """See what was missed as if a watch had shown it.

    Raises:
        ClusterError: the list, or one of those that are newer, is not to be had.
    """
    known = [carrier.body for carrier in cache.carriers() if carrier.body is not None]
    versions = await supervisors.list_supervisor_versions()
    there = {key.uid for key in versions}
    for body in known:
        if body["metadata"]["uid"] not in there:
            seen("DELETED", body)
    for key, version in versions.items():
        if _is_news(cache, key, version):
            body_now = await supervisors.supervisor(key.namespace, key.name)
            if body_now is not None:
                seen("MODIFIED", body_now)


def _is_news(cache: SupervisorCache, key: ObjectKey, version: str) -> bool:
    carrier = cache.get((key.namespace, key.name))
    if carrier is None or carrier.body is None:
        return True
    return carrier.uid != key.uid or resource_version(carrier.body) < version_number(version)
