"""Names in a cluster for somebody who pressed Tab: in a few seconds, or not at all, and never with an error.

kubectl is asked where there is one: it starts in a tenth of the time that a Kubernetes client in Python takes.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from makima.client import Person

T = TypeVar("T")
Options = Mapping[str, Any]
"""What the command line says so far: `kubeconfig`, `context`, …"""

SECONDS = 3.0
"""Longest time that somebody who pressed Tab waits."""

GROUP = ".makima.dev"


def names(kind: str, options: Options, namespace: str | None, *, everywhere: bool) -> list[tuple[str, str]]:
    """Namespace and name of each object of a kind of makima's, or of each namespace.

    Args:
        namespace: None = that of the context, unless `everywhere`.
    """
    kubectl = _program()
    if kubectl is None:
        return _by_client(options, namespace, lambda person: _listed(person, kind, everywhere=everywhere)) or []
    path = '{range .items[*]}{.metadata.namespace}{"/"}{.metadata.name}{"\\n"}{end}'
    whole = kind if kind == "namespaces" else kind + GROUP
    words = ["get", whole, "-o", f"jsonpath={path}", *(["-A"] if everywhere else [])]
    pairs = (line.rpartition("/") for line in _kubectl(kubectl, words, options, namespace).split())
    return [(space, name) for space, _, name in pairs]


def contract(options: Options, namespace: str | None, name: str) -> dict[str, Any]:
    """One contract as it is; empty where there is none."""
    kubectl = _program()
    if kubectl is None:
        return _by_client(options, namespace, lambda person: _one(person, name)) or {}
    text = _kubectl(kubectl, ["get", f"contracts{GROUP}", name, "-o", "json"], options, namespace)
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def contexts(options: Options) -> list[str]:
    """Contexts of the kubeconfig; only kubectl tells them."""
    kubectl, anew = _program(), {**options, "context": None}
    return _kubectl(kubectl, ["config", "get-contexts", "-o", "name"], anew, None).split() if kubectl else []


def _program() -> str | None:
    """Where kubectl is."""
    import shutil

    return shutil.which("kubectl")


def _kubectl(kubectl: str, words: list[str], options: Options, namespace: str | None) -> str:
    """What kubectl prints; nothing where it fails."""
    import subprocess

    place = {"--kubeconfig": options.get("kubeconfig"), "--context": options.get("context"), "--namespace": namespace}
    chosen = [f"{key}={value}" for key, value in place.items() if value]
    command = [kubectl, *chosen, f"--request-timeout={SECONDS:.0f}s", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603  # ours
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _by_client(options: Options, namespace: str | None, ask: Callable[[Person], Awaitable[T]]) -> T | None:
    """The same without kubectl."""
    import asyncio

    from makima.client import Place, connect
    from makima.errors import MakimaError

    kubeconfig = options.get("kubeconfig")
    place = Place(Path(kubeconfig) if kubeconfig else None, options.get("context"), namespace)

    async def answer() -> T:
        async with asyncio.timeout(SECONDS), connect(place) as person:
            return await ask(person)

    try:
        return asyncio.run(answer())
    except (MakimaError, TimeoutError, OSError):
        return None


async def _listed(person: Person, kind: str, *, everywhere: bool) -> list[tuple[str, str]]:
    if kind == "namespaces":
        return [("", name) for name in await person.cluster.namespaces()]
    page = await person.cluster.page(kind, None if everywhere else person.namespace)
    return [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in page.get("items") or ()]


async def _one(person: Person, name: str) -> dict[str, Any]:
    return await person.cluster.get("contracts", person.namespace, name)
