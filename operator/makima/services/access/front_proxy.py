"""Who may speak for others: the front proxy, as the cluster says in `kube-system/extension-apiserver-authentication`.

The API server has authenticated the caller and puts who it is into headers; they are worth as much as the certificate
of whoever sends them. What is here are values: which certificates, which names in them, which headers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from makima.errors import MakimaError
from makima.services.access.identity import Identity, identity_named

Headers = Iterable[tuple[bytes, bytes]]

CA, NAMES = "requestheader-client-ca-file", "requestheader-allowed-names"
USER, UID = "requestheader-username-headers", "requestheader-uid-headers"
GROUP, EXTRA = "requestheader-group-headers", "requestheader-extra-headers-prefix"


class NoFrontProxy(MakimaError):
    """The cluster does not say whom to believe; so nobody is."""


@dataclass(frozen=True, slots=True)
class FrontProxy:
    """The cluster's front proxy.

    Attributes:
        authorities: certificate authorities, PEM.
        names: common names that its certificate may have; empty = any that the authorities sign, as Kubernetes has it.
        user_headers: the first that is there names the user; header names are in lower case.
        uid_headers: the same for the user's UID; empty = the UID is not told.
        group_headers: all of them name groups.
        extra_prefixes: what a header has after one of them is the key of an extra.
    """

    authorities: str
    names: frozenset[str]
    user_headers: tuple[bytes, ...]
    uid_headers: tuple[bytes, ...]
    group_headers: tuple[bytes, ...]
    extra_prefixes: tuple[bytes, ...]

    @classmethod
    def from_config_map(cls, data: Mapping[str, str]) -> FrontProxy:
        """The one that the data of the ConfigMap describe.

        Raises:
            NoFrontProxy: no authority, no header for the user, or not readable.
        """
        found = cls(
            authorities=data.get(CA, "").strip(),
            names=frozenset(_listed(data, NAMES)),
            user_headers=_headers(data, USER),
            uid_headers=_headers(data, UID),
            group_headers=_headers(data, GROUP),
            extra_prefixes=_headers(data, EXTRA),
        )
        if not found.authorities or not found.user_headers:
            raise NoFrontProxy(
                "the API server has no front proxy", f"start kube-apiserver with --{CA} and --{USER}, or do without"
            )
        return found

    def admits(self, name: str | None) -> bool:
        """Whether a certificate with this common name, signed by the authorities, is the front proxy's."""
        return not self.names or name in self.names

    def identity(self, headers: Headers) -> Identity | None:
        """The caller whom the front proxy names; None where it names nobody that could be."""
        every = list(headers)
        try:
            user = _first(every, self.user_headers)
            if not user:
                return None
            return identity_named(
                user, _first(every, self.uid_headers), _all(every, self.group_headers), self._extra(every)
            )
        except ValueError:  # not UTF-8, or a pod's UID that is none
            return None

    def says_who(self, header: bytes) -> bool:
        """Whether a header tells who calls, be it by the front proxy's word or by a credential."""
        named = (b"authorization", *self.user_headers, *self.uid_headers, *self.group_headers)
        return header in named or header.startswith(self.extra_prefixes)

    def _extra(self, headers: list[tuple[bytes, bytes]]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, value in headers:
            prefix = next((prefix for prefix in self.extra_prefixes if name.startswith(prefix)), None)
            if prefix is not None:
                key = unquote(name[len(prefix) :].decode(), errors="strict")
                found[key] = (*found.get(key, ()), value.decode())
        return found


def _listed(data: Mapping[str, str], key: str) -> list[str]:
    try:
        found = json.loads(data.get(key) or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise NoFrontProxy(f"{key} is no list of texts", "look at ConfigMap extension-apiserver-authentication")
    return found


def _headers(data: Mapping[str, str], key: str) -> tuple[bytes, ...]:
    return tuple(name.lower().encode() for name in _listed(data, key) if name)


def _first(headers: list[tuple[bytes, bytes]], names: tuple[bytes, ...]) -> str:
    return next((value.decode() for wanted in names for name, value in headers if name == wanted and value), "")


def _all(headers: list[tuple[bytes, bytes]], names: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(value.decode() for wanted in names for name, value in headers if name == wanted)
