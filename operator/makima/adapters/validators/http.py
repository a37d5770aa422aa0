"""Asking a Service in the contract's own namespace. Whoever writes a contract chooses it: its address is not trusted.

The name is resolved by reading the Service, not by DNS, and the cluster IP that the API server gave it is called:
nothing in between can point the operator somewhere else. A Service's owner still chooses what is behind it; the
operator sends a contract of the same namespace and no credentials, and takes no more back than whether it is ready and
what is missing.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError
from yarl import URL

from makima.adapters.validators.answer import Answer, ValidatorFailed
from makima.errors import ClusterError, NotFound
from makima.models.gate import HttpValidator
from makima.ports import JsonObject

LARGEST_ANSWER = 64 * 1024
"""Bytes."""

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "makima-operator"}
"""No compression: a small answer must not become a large one."""

UNLIMITED = aiohttp.ClientTimeout(total=None)
"""None of aiohttp's own limits: `time_limit` is the only one."""


class ApiServer(Protocol):
    """What is needed of the connection."""

    async def request(self, method: str, path: str) -> dict[str, Any]:
        """One call; raises `makima.errors.ClusterError`."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where to call, and as whom to address it."""

    ip: str
    port: int
    host: str

    def url(self, path: str) -> URL:
        """The URL; the path is taken as it is written."""
        literal = f"[{self.ip}]" if ":" in self.ip else self.ip
        return URL(f"http://{literal}:{self.port}{path}", encoded=True)


class HttpAnswer(BaseModel):
    """What a Service has to answer; a misspelt key is told rather than passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ready: bool
    missing: tuple[str, ...] = ()


async def resolve(api: ApiServer, namespace: str, validator: HttpValidator) -> Address:
    """Where the Service is.

    Raises:
        ValidatorFailed: there is no such Service, it is of a kind that is refused, or the API server can't tell.
    """
    try:
        service = await api.request("GET", f"/api/v1/namespaces/{namespace}/services/{validator.service}")
    except NotFound:
        raise ValidatorFailed(
            f"there is no such Service in namespace {namespace}; create it, or mend the name"
        ) from None
    except ClusterError as error:
        raise ValidatorFailed(f"the Service can't be read: {error.message}") from error
    return address_of(service.get("spec") or {}, f"{validator.service}.{namespace}.svc", validator.port)


def address_of(spec: JsonObject, host: str, port: int) -> Address:
    """The address in a Service's spec.

    Raises:
        ValidatorFailed: it has none that may be called.
    """
    if spec.get("type") == "ExternalName":
        raise ValidatorFailed("an ExternalName Service is refused; use one with a cluster IP")
    ip = spec.get("clusterIP")
    if not ip or ip == "None":
        raise ValidatorFailed("the Service has no cluster IP (headless is refused); use one of type ClusterIP")
    if not _callable(ip):
        raise ValidatorFailed(f"address {ip} of the Service is refused; use one with a usual cluster IP")
    offered = {p.get("port") for p in spec.get("ports") or () if p.get("protocol", "TCP") == "TCP"}
    if port not in offered:
        listed = ", ".join(str(number) for number in sorted(filter(None, offered))[:5]) or "none"
        raise ValidatorFailed(f"the Service has no TCP port {port} (it has: {listed}); mend one of the two")
    return Address(ip, port, host)


def _callable(text: str) -> bool:
    """An address of the cluster: not of this machine, of the link (cloud metadata is there), or of many."""
    try:
        ip: Any = ipaddress.ip_address(text)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """One limit for everything, from looking the Service up to the last byte of its answer.

    Raises:
        ValidatorFailed: it has run out.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        text = f"no answer after {seconds:g} s; make it answer faster, or raise timeoutSeconds"
        raise ValidatorFailed(text) from None


async def call(address: Address, path: str, question: JsonObject) -> Answer:
    """POST the question, and read the answer; within a `time_limit`, since it has none of its own.

    Args:
        address: of the Service.
        path: of the request.
        question: {contract, phase}.

    Raises:
        ValidatorFailed: no answer that can be used.
    """
    # A session per call: an address that a Service gave up, and cookies of another namespace, must not be used again.
    session = aiohttp.ClientSession(timeout=UNLIMITED, trust_env=False, auto_decompress=False, headers=HEADERS)
    try:
        async with (
            session,
            session.post(
                address.url(path), json=question, headers={"Host": address.host}, allow_redirects=False
            ) as got,
        ):
            return _answer_of(got.status, await _bounded(got.content))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        text = f"it can't be called ({type(error).__name__}); see whether its pods run and listen"
        raise ValidatorFailed(text) from error


async def _bounded(body: aiohttp.StreamReader) -> bytes:
    """The body.

    Raises:
        ValidatorFailed: it is longer than LARGEST_ANSWER; the rest is not read.
    """
    found = bytearray()
    async for chunk in body.iter_any():
        found += chunk
        if len(found) > LARGEST_ANSWER:
            raise ValidatorFailed(f"it answers more than {LARGEST_ANSWER // 1024} KiB; answer ready and missing only")
    return bytes(found)


def _answer_of(status: int, body: bytes) -> Answer:
    if status != 200:
        raise ValidatorFailed(f"it answers HTTP {status} instead of 200 (redirects are not followed)")
    try:
        answer = HttpAnswer.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise ValidatorFailed(f'{where}: {first["msg"]}; answer {{"ready": bool, "missing": [string]}}') from None
    return Answer.of(answer.ready, answer.missing, "validator http: not ready")
