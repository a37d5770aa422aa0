"""Somebody who calls as themselves: a person, or a pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from makima.models.credential import Credential
from makima.services.access.identity import Identity


@dataclass(frozen=True, slots=True)
class Person:
    """Who calls.

    Attributes:
        credential: the token that the call came with, to be forwarded where something is changed; None where there is
            none, as behind the front proxy.
    """

    identity: Identity
    credential: Credential | None = None
