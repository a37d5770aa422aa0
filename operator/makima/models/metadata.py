"""The part of ObjectMeta that decisions look at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from makima.models.markers import Model


class OwnerReference(Model):
    """Who an object belongs to; Kubernetes deletes it with its owner."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False


class Metadata(Model):
    """Identity, version and times of a Kubernetes object."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
    managed_fields: tuple[dict[str, Any], ...] = ()

    @property
    def deleting(self) -> bool:
        """Whether deletion has been asked for."""
        return self.deletion_timestamp is not None
