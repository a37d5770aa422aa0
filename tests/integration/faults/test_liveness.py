"""/healthz of a running operator tells the kubelet whether its watches work, not only whether it runs."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.fleet import Fleet
from tests.support.kube import until
from tests.support.operator_process import OperatorUnderTest, StartOperator
from tests.support.silent_proxy import WATCHES, through_proxy

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("faults")]

DEAF_SECONDS = 30
"""Until /healthz says so."""

REOPENED_SECONDS = 45
"""Until the operator opens silent watches again; longer, or there would be nothing to tell."""


async def test_an_operator_is_unhealthy_while_its_watches_are_silent_and_healthy_when_they_work_again(
    admin: Connection, namespace: str, own_sandbox: Sandbox, start_operator: StartOperator, tmp_path: Path
) -> None:
    async with through_proxy(own_sandbox, tmp_path, reading=True) as (proxy, kubeconfig):
        operator = start_operator(kubeconfig=kubeconfig, operator__watch_inactivity_seconds=REOPENED_SECONDS)
        await asyncio.to_thread(operator.wait_leading)
        await some_renewals(admin, namespace)
        assert await says(operator, 200, "[+]lease ok", "[+]watch ok")
        silent_since = time.monotonic()
        proxy.go_silent(WATCHES)
        deaf = ("[+]lease ok", "[-]watch failed: no watch event for 3")
        await until("/healthz to tell of the silence", lambda: says(operator, 503, *deaf), DEAF_SECONDS + 10)
        assert time.monotonic() - silent_since > DEAF_SECONDS - 4, "its renewals were not seen before the silence"
        unseen = Fleet(admin, namespace, 3)
        await unseen.create()
        again = REOPENED_SECONDS - DEAF_SECONDS + 10
        await until("watches that work again", lambda: says(operator, 200, "[+]lease ok", "[+]watch ok"), again)
        await unseen.carry(60)
        assert operator.running
        assert operator.log.read_text().count("leading as") == 1, "the watches came back, not another process"


async def some_renewals(admin: Connection, namespace: str) -> None:
    """Wait until the leader has renewed its Lease for some seconds: a watch shows more by then than its beginning."""
    lease = f"/apis/coordination.k8s.io/v1/namespaces/makima-system/leases/lease-{namespace}"

    async def renewed() -> datetime:
        found = await admin.request("GET", lease)
        return datetime.fromisoformat(found["spec"]["renewTime"])

    first = await renewed()

    async def long_enough() -> bool:
        return await renewed() - first > timedelta(seconds=8)

    await until("renewals of the lease", long_enough)


async def says(operator: OperatorUnderTest, code: int, *lines: str) -> bool:
    """Whether /healthz answers so, and /readyz that all is well."""
    status, text = await asyncio.to_thread(operator.get, "health", "/healthz")
    ready, _ = await asyncio.to_thread(operator.get, "health", "/readyz")
    return (status, ready) == (code, 200) and all(line in text for line in lines)
