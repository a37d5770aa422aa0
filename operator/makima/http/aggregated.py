"""The aggregated API: what the front proxy forwards, with the caller whom it names, as calls of REST.

It runs behind a listener that nobody but the front proxy gets into (`makima.http.front_proxy_tls`); so the headers that
name a caller are believed here, and nowhere else. A credential of the caller's own never comes along, which is why
nothing that comes this way is written in a person's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from makima.http.bodies import respond
from makima.http.caller import VERIFIED
from makima.http.connection import HEAD_BYTES
from makima.http.kubernetes_paths import ROOT, RestCall, rest_call
from makima.http.kubernetes_status import as_status
from makima.http.problems import rendered
from makima.http.stream import refuse_handshake
from makima.models.markers import MONITOR_GROUP, MONITOR_VERSION
from makima.models.wire.problem import Code
from makima.services.access.front_proxy import FrontProxy
from makima.services.access.identity import Identity
from makima.services.refusals import refusal, unavailable

OPEN = ("/healthz", "/livez", "/readyz")
SAFE = ("GET", "HEAD", "OPTIONS")
EVENT_STREAM = (b"accept", b"text/event-stream")
JSON_BODY = (b"content-type", b"application/json")

VERSION = {"groupVersion": f"{MONITOR_GROUP}/{MONITOR_VERSION}", "version": MONITOR_VERSION}
GROUP = {"name": MONITOR_GROUP, "versions": [VERSION], "preferredVersion": VERSION}
DISCOVERY: dict[str, dict[str, Any]] = {
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [GROUP]},
    f"/apis/{MONITOR_GROUP}": {"kind": "APIGroup", "apiVersion": "v1", **GROUP},
    # No resources: discovery promises what `kubectl get` can show, and the answers here are those of REST. A second
    # resource `contracts` would also make `kubectl get contracts` depend on the order of groups.
    ROOT: {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": VERSION["groupVersion"], "resources": []},
    "/openapi/v3": {"paths": {}},
}


class Aggregated:
    """Kubernetes-shaped calls in, calls of REST on."""

    def __init__(self, app: ASGIApp, front_proxy: Callable[[], FrontProxy | None]) -> None:
        self._app, self._front_proxy = app, front_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            await self._http(scope, receive, as_status(send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        try:
            found = "ok" if path in OPEN else self._discovered(scope, path)
            passed = self._rest(scope, path) if found is None else scope
        except Exception as error:
            await respond(send, *rendered(error))
            return
        if found is not None:
            await respond(send, 200, json.dumps(found).encode())
            return
        await self._app(passed, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            passed = self._rest(scope, scope["path"].rstrip("/"))
        except Exception as error:
            await receive()  # websocket.connect
            await refuse_handshake(send, error)
            return
        await self._app(passed, receive, send)

    def _discovered(self, scope: Scope, path: str) -> dict[str, Any] | None:
        if path not in DISCOVERY or scope["method"] not in SAFE:
            return None
        self._caller(scope)
        return DISCOVERY[path]

    def _rest(self, scope: Scope, path: str) -> Scope:
        """The call of REST, made by the caller whom the front proxy names.

        Raises:
            Refused: NOT_FOUND, UNAUTHENTICATED, FORBIDDEN, VALIDATION_FAILED, TOO_LARGE, UNAVAILABLE.
        """
        proxy, caller = self._caller(scope)
        call = rest_call(path, scope["query_string"])
        if call is None:
            hint = f"paths are {ROOT}/namespaces/NAMESPACE/contracts[/NAME/…], …/monitor and …/dashboard"
            raise refusal(Code.NOT_FOUND, f"there is no {path[:256]}", hint=hint)
        _must_be_for_people(scope, call)
        _must_be_a_watch(call)
        headers = [(name, value) for name, value in scope["headers"] if not proxy.says_who(name)]
        if not any(name == b"content-type" for name, _ in headers):  # kubectl create --raw does not say it
            headers.append(JSON_BODY)
        if call.stream and scope["type"] == "http":  # kubectl can't say what it accepts
            headers = [*(each for each in headers if each[0] != b"accept"), EVENT_STREAM]
        changed = {"path": call.path, "raw_path": call.path.encode(), "query_string": call.query, "headers": headers}
        return {**scope, **changed, VERIFIED: caller}

    def _caller(self, scope: Scope) -> tuple[FrontProxy, Identity]:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES:
            raise refusal(Code.TOO_LARGE, f"the headers have more than {HEAD_BYTES} bytes", hint="be in fewer groups")
        proxy = self._front_proxy()
        if proxy is None:
            raise unavailable("it is not known yet who the API server's front proxy is")
        caller = proxy.identity(scope["headers"])
        if caller is None:
            raise refusal(Code.UNAUTHENTICATED, "the front proxy names no caller", hint="call through the API server")
        return proxy, caller


def _must_be_for_people(scope: Scope, call: RestCall) -> None:
    """Supervisors' own calls are bound to their token's audience and pod, which a front proxy says nothing about."""
    if scope["type"] == "http" and scope["method"] not in SAFE and call.by_supervisors:
        raise refusal(
            Code.FORBIDDEN,
            "supervisors do not report through the aggregated API",
            hint="call the API service itself (MAKIMA_API_URL), with a token of makima's audience",
        )


def _must_be_a_watch(call: RestCall) -> None:
    if call.stream and not call.watch:
        raise refusal(
            Code.VALIDATION_FAILED,
            "the API server would end this stream after a minute",
            field="watch",
            hint=f"ask for {ROOT}/monitor?watch=true, or {ROOT}/namespaces/NAMESPACE/monitor?watch=true",
        )
