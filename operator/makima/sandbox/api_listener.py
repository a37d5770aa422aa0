"""Where a `makima api` of this machine listens for the sandbox's API server: port and certificate, known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from makima.adapters.serving_certificate import make_serving_certificate
from makima.sandbox.certificates import Pair
from makima.sandbox.locking import exclusive
from makima.sandbox.private_file import write_private


@dataclass(frozen=True, slots=True)
class ApiListener:
    """The listener.

    Attributes:
        name: which the API server expects in its certificate.
    """

    folder: Path
    port: int
    name: str

    @property
    def pair(self) -> Pair:
        """Its certificate; made when it is asked for the first time."""
        pair = Pair(self.folder / "aggregated-api.crt", self.folder / "aggregated-api.key")
        with exclusive(self.folder / "pki.lock"):
            if not pair.certificate.exists():
                made = make_serving_certificate([self.name], datetime.now(UTC))
                write_private(pair.key, made.key)
                write_private(pair.certificate, made.certificate)
        return pair

    @property
    def environment(self) -> dict[str, str]:
        """What `makima api` needs to be told."""
        pair = self.pair
        return {
            "MAKIMA_API__AGGREGATED_PORT": str(self.port),
            "MAKIMA_API__AGGREGATED_CERTIFICATE": str(pair.certificate),
            "MAKIMA_API__AGGREGATED_KEY": str(pair.key),
        }
