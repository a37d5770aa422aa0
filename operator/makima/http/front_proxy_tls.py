"""TLS of the listener for the front proxy: who gets in, and its own certificate, both replaced while it serves.

A context can only learn to trust more, never less. So each change makes a new one, and every handshake is handed to the
newest. Sessions are not resumed: a resumed one would be believed by what was trusted when it began.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from makima.services.access.front_proxy import FrontProxy

log = logging.getLogger(__name__)


class FrontProxyTls:
    """Certificate and trust, as of now. Without a front proxy no client gets in."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read both files.

        Raises:
            OSError: not there, or (ssl.SSLError) no certificate with its key.
        """
        self._files = (certificate, key)
        self._known = (self._read(), "")
        self._current = self._made("")

    def context(self) -> ssl.SSLContext:
        """For the server: hands each handshake to the newest context, and lets nobody in by itself."""
        first = _context()
        first.load_cert_chain(*self._files)

        def newest(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self._current

        first.sni_callback = newest
        return first

    def refresh(self, proxy: FrontProxy | None) -> bool:
        """Go by this front proxy, and by the files as they are now.

        Returns:
            Whether somebody else is trusted than before.
        """
        authorities = proxy.authorities if proxy is not None else ""
        try:
            wanted = (self._read(), authorities)
            if wanted == self._known:
                return False
            self._current = self._made(authorities)
        except OSError as error:  # a file that is being replaced, or rubbish in the ConfigMap
            log.warning("TLS of the aggregated API stays as it was: %s", error)
            return False
        changed = authorities != self._known[1]
        self._known = wanted
        log.info("TLS of the aggregated API: certificate and front proxy as they are now")
        return changed

    def _read(self) -> bytes:
        return b"\n".join(file.read_bytes() for file in self._files)

    def _made(self, authorities: str) -> ssl.SSLContext:
        made = _context()
        made.load_cert_chain(*self._files)
        if authorities:
            made.load_verify_locations(cadata=authorities)
        return made


def _context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.verify_mode = ssl.CERT_REQUIRED
    made.num_tickets = 0
    return made
