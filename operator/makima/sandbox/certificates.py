"""The sandbox's certificate authorities, and the certificates that its API server believes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from makima.sandbox.locking import exclusive
from makima.sandbox.private_file import write_private

LIFETIME = timedelta(days=365)
SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
SERVER_ADDRESSES = ("127.0.0.1", "10.96.0.1")

SigningKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, both as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that keeps itself in a folder; certificates are issued once per name.

    The API server verifies a client's certificate with every request, not once for each connection. With an elliptic
    curve that was 7 to 9 % of all that it did in the tests; RSA takes a quarter of it, and a third of a second once.

    Args:
        folder: its certificate and key, and those it issues.
        name: its files' name and its common name.
        verified_often: whether its signatures are verified with every request: its key is RSA then. Goes for a new
            authority; one that is there stays as it is.
    """

    def __init__(self, folder: Path, name: str, *, verified_often: bool = False) -> None:
        self._folder = folder
        self._pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
        folder.mkdir(exist_ok=True, mode=0o700)  # no parents: of a sandbox that is gone nothing is made again
        with exclusive(folder / "pki.lock"):
            if not self._pair.certificate.exists():
                self._create(name, _rsa_key() if verified_often else ec.generate_private_key(ec.SECP256R1()))

    @property
    def certificate(self) -> Path:
        """The authority's own certificate."""
        return self._pair.certificate

    def server(self, name: str, address: str = "127.0.0.1") -> Pair:
        """A certificate for a server on loopback, and at this address."""
        names: list[x509.GeneralName] = [x509.DNSName(item) for item in SERVER_NAMES]
        names += [x509.IPAddress(ipaddress.ip_address(item)) for item in {*SERVER_ADDRESSES, address}]
        extensions = [x509.SubjectAlternativeName(names), x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]
        return self._issue(name, x509.Name([_attribute(NameOID.COMMON_NAME, name)]), extensions)

    def client(self, file: str, user: str, groups: tuple[str, ...] = ()) -> Pair:
        """A certificate that makes its holder this user (CN) in these groups (O)."""
        attributes = [_attribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*attributes, _attribute(NameOID.COMMON_NAME, user)])
        return self._issue(file, subject, [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])])

    def _create(self, name: str, key: SigningKey) -> None:
        subject = x509.Name([_attribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key.public_key()).add_extension(x509.BasicConstraints(True, 0), True)
        # OpenSSL tells two authorities of the same name apart by this, when one follows the other.
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        _write(self._pair, builder.sign(key, hashes.SHA256()), key)

    def _issue(self, file: str, subject: x509.Name, extensions: list[x509.ExtensionType]) -> Pair:
        pair = Pair(self._folder / f"{file}.crt", self._folder / f"{file}.key")
        # Several processes may ask for the same user at once: a certificate of one and a key of the other don't match.
        with exclusive(self._folder / "pki.lock"):
            if not pair.certificate.exists():
                self._sign(pair, subject, extensions)
        return pair

    def _sign(self, pair: Pair, subject: x509.Name, extensions: list[x509.ExtensionType]) -> None:
        issuer = x509.load_pem_x509_certificate(self._pair.certificate.read_bytes()).subject
        signer = serialization.load_pem_private_key(self._pair.key.read_bytes(), None)
        assert isinstance(signer, SigningKey)
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, issuer, key.public_key())
        signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        for extension in (*extensions, signed_by):
            builder = builder.add_extension(extension, critical=False)
        _write(pair, builder.sign(signer, hashes.SHA256()), key)


def cluster_authority(folder: Path) -> Authority:
    """Of the sandbox in this folder: signs what its API server serves with, and who its users are."""
    return Authority(folder / "pki", "ca", verified_often=True)


def write_signing_key(file: Path) -> Path:
    """A key that signs service-account tokens."""
    with exclusive(file.parent / "pki.lock"):
        if not file.exists():
            write_private(file, _pem(ec.generate_private_key(ec.SECP256R1())))
    return file


def _attribute(kind: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    # X.509 allows 64 characters in a common name, and service accounts' user names are longer: not checked, as Go
    # does not check it either.
    return x509.NameAttribute(kind, value, _validate=False)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + LIFETIME)


def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _write(pair: Pair, certificate: x509.Certificate, key: SigningKey) -> None:
    write_private(pair.key, _pem(key))
    write_private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _pem(key: SigningKey) -> bytes:
    # Not PKCS8: the API server does not read it for service-account keys.
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
