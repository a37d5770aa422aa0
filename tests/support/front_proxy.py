"""A front proxy of the tests' own: its authority, its certificate, and what the cluster would say about it."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from pathlib import Path

from makima.adapters.serving_certificate import ServingCertificate, make_serving_certificate
from makima.sandbox.certificates import Authority, Pair
from makima.services.access.front_proxy import FrontProxy

NAME = "front-proxy-client"
SERVER = "makima-api.test.svc"


def config_map(*authorities: Authority, names: tuple[str, ...] = (NAME,)) -> dict[str, str]:
    """Data of ConfigMap extension-apiserver-authentication."""
    return {
        "requestheader-client-ca-file": "".join(each.certificate.read_text() for each in authorities),
        "requestheader-allowed-names": json.dumps(names),
        "requestheader-username-headers": '["X-Remote-User"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    }


def front_proxy(*authorities: Authority, names: tuple[str, ...] = (NAME,)) -> FrontProxy:
    """The same as the value."""
    return FrontProxy.from_config_map(config_map(*authorities, names=names))


def write_serving(folder: Path, name: str = SERVER) -> Pair:
    """A certificate of the listener's own, in files; written over where there is one."""
    made: ServingCertificate = make_serving_certificate([name, "localhost"], datetime.now(UTC))
    pair = Pair(folder / "tls.crt", folder / "tls.key")
    pair.key.write_bytes(made.key)
    pair.certificate.write_bytes(made.certificate)
    return pair


def client_context(trusted: Path, pair: Pair | None) -> ssl.SSLContext:
    """TLS of somebody who calls, with a client certificate or without."""
    context = ssl.create_default_context(cafile=trusted)
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    return context
