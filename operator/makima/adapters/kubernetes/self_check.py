"""What a process can learn of the API server about itself: version, time, and what it may do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from makima.adapters.kubernetes.connection import Connection
from makima.errors import ClusterUnavailable

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def version_and_time(connection: Connection) -> tuple[int, int, datetime]:
    """Major and minor version, and now by the API server's clock, in whole seconds.

    Raises:
        ClusterUnavailable: it does not answer as an API server does.
    """
    try:
        async with await connection.open("GET", "/version") as response:
            body, told = await response.json(), response.headers["Date"]
    except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError) as error:
        raise ClusterUnavailable(f"the API server does not answer: {error or type(error).__name__}") from error
    numbers = (int(re.sub(r"\D.*", "", str(body[part]))) for part in ("major", "minor"))
    major, minor = numbers
    return major, minor, parsedate_to_datetime(told)


async def not_allowed(connection: Connection, rules: Iterable[Mapping[str, Any]], namespace: str | None) -> list[str]:
    """Which parts of these rules the caller may not use, as `verb resource.group`.

    Args:
        namespace: where; None: in all of them.
    """
    asked = ((group, resource, verb) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]
             for verb in rule["verbs"])  # fmt: skip
    return [_named(*one) for one in asked if not await _may(connection, *one, namespace)]


def _named(group: str, resource: str, verb: str) -> str:
    return f"{verb} {resource}{'.' if group else ''}{group}"


async def _may(connection: Connection, group: str, resource: str, verb: str, namespace: str | None) -> bool:
    name, _, part = resource.partition("/")
    attributes = {"group": group, "resource": name, "subresource": part, "verb": verb, "namespace": namespace or ""}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await connection.request("POST", REVIEWS, body=body)
    return bool(answer["status"].get("allowed"))
