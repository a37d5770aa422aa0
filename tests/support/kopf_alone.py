"""kopf as the operator configures it, with one handler of contracts, before an API server that is played."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import kopf
from aiohttp import web

from makima.config import Config
from makima.handlers.lifecycle import configure
from makima.models.markers import API_GROUP, API_VERSION
from makima.services.control_loop.work_queue import WorkQueue
from makima.watch_wiring import watch_session

CONTRACTS = f"/apis/{API_GROUP}/{API_VERSION}/contracts"

Body = dict[str, Any]


def resources(*kinds: tuple[str, str]) -> Body:
    """What an API server tells of a group and version."""
    verbs = ["get", "list", "watch"]
    return {
        "resources": [
            {"name": plural, "kind": kind, "singularName": "", "namespaced": kind == "Contract", "verbs": verbs}
            for plural, kind in kinds
        ]
    }


DISCOVERY = {
    "/api": {"versions": ["v1"]},
    "/api/v1": resources(("namespaces", "Namespace")),
    "/apis": {
        "groups": [
            {"name": group, "versions": [{"version": version}], "preferredVersion": {"version": version}}
            for group, version in ((API_GROUP, API_VERSION), ("apiextensions.k8s.io", "v1"))
        ]
    },
    "/apis/apiextensions.k8s.io/v1": resources(("customresourcedefinitions", "CustomResourceDefinition")),
    f"/apis/{API_GROUP}/{API_VERSION}": resources(("contracts", "Contract")),
}


def metadata(number: int) -> Body:
    """Of the contract with this number."""
    return {"name": f"c{number}", "namespace": "ns", "uid": f"u{number}", "resourceVersion": "1"}


@asynccontextmanager
async def served(answer: Callable[[web.Request], Awaitable[web.StreamResponse]], folder: Path) -> AsyncIterator[Path]:
    """An API server that answers so; gives the kubeconfig for it."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    file = folder / "kubeconfig"
    file.write_text(json.dumps(_kubeconfig(str(site.name))))
    try:
        yield file
    finally:
        await runner.cleanup()


def _kubeconfig(url: str) -> Body:
    return {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }


def operator_settings() -> kopf.OperatorSettings:
    """kopf's settings as the operator has them."""
    settings = kopf.OperatorSettings()
    configure(settings)
    return settings


def watch(
    config: Config, settings: kopf.OperatorSettings, queue: WorkQueue, seen: list[str], stop: threading.Event
) -> None:
    """Collect names of contracts until told to stop; for a thread, since kopf takes all of a loop for its own."""
    registry = kopf.OperatorRegistry()

    async def login(**_: Any) -> kopf.AiohttpSession:
        return await watch_session(config, queue)

    async def contract_seen(event: Any, **_: Any) -> None:
        seen.append(event["object"]["metadata"]["name"])

    kopf.on.login(registry=registry)(login)
    kopf.on.event(API_GROUP, API_VERSION, "contracts", registry=registry)(contract_seen)
    asyncio.run(kopf.operator(registry=registry, settings=settings, clusterwide=True, stop_flag=stop))
