"""The certificate of the aggregated API's listener: made once, kept for years, renewed in time."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from makima.adapters.serving_certificate import LIFETIME, RENEWED_BEFORE, make_serving_certificate, serves

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NAME = "makima-api.makima-system.svc"


@pytest.mark.parametrize(
    ("name", "later", "good"),
    [
        (NAME, timedelta(), True),
        (NAME, LIFETIME - RENEWED_BEFORE - timedelta(hours=1), True),
        (NAME, LIFETIME - RENEWED_BEFORE + timedelta(hours=1), False),
        (NAME, LIFETIME + timedelta(days=1), False),
        ("other.makima-system.svc", timedelta(), False),
    ],
)
def test_it_is_kept_while_it_is_good_for_this_name(name: str, later: timedelta, good: bool) -> None:
    made = make_serving_certificate([NAME], NOW)
    assert serves(made.certificate, name, NOW + later) is good


@pytest.mark.parametrize("text", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_replaced(text: bytes) -> None:
    assert not serves(text, NAME, NOW)


def test_a_certificate_of_no_name_is_replaced(tmp_path: Path) -> None:
    from makima.sandbox.certificates import Authority

    assert not serves(Authority(tmp_path, "ca").certificate.read_bytes(), NAME, datetime.now(UTC))


def test_key_and_certificate_belong_together(tmp_path: Path) -> None:
    made = make_serving_certificate([NAME], datetime.now(UTC))
    (tmp_path / "both.pem").write_bytes(made.certificate + made.key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "both.pem")
