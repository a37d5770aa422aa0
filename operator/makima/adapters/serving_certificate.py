"""A certificate for the listener of the aggregated API, signed by itself.

Only the API server calls that listener, and the APIService tells it which certificate that is; an authority in between
would be one more key to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=5 * 365)
RENEWED_BEFORE = timedelta(days=365)
"""Renewed by the first `makima install` in its last year. Long, as a certificate that ended costs the whole cluster: an
APIService that does not answer blocks the deletion of namespaces."""


@dataclass(frozen=True, slots=True)
class ServingCertificate:
    """Certificate and key, PEM."""

    certificate: bytes
    key: bytes


def make_serving_certificate(names: Sequence[str], now: datetime) -> ServingCertificate:
    """A new one for these DNS names; the first is its common name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=subject, public_key=key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + LIFETIME)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    signed = builder.sign(key, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ServingCertificate(signed.public_bytes(serialization.Encoding.PEM), key.private_bytes(*form))


def serves(certificate: bytes, name: str, now: datetime) -> bool:
    """Whether it is for this name, and good for some time to come."""
    try:
        found = x509.load_pem_x509_certificate(certificate)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return name in names.get_values_for_type(x509.DNSName) and found.not_valid_after_utc - now > RENEWED_BEFORE
