"""What a cluster has to have before makima can run on it: CRDs, admission policies and RBAC, made from the models.

`python -m makima.schema` (`make generate`) writes them to `crds/`, `manifests/` and `docs/reference/`. The sandbox and
the tests install `render()` directly, so what is tested is what is shipped.
"""

from __future__ import annotations

from typing import Any

from makima.schema.admission import render_policies
from makima.schema.crds import render_crds
from makima.schema.rbac import render_namespace, render_rbac
from makima.schema.version import SCHEMA_VERSION, SCHEMA_VERSION_ANNOTATION

__all__ = [
    "SCHEMA_VERSION",
    "SCHEMA_VERSION_ANNOTATION",
    "render",
    "render_crds",
    "render_namespace",
    "render_policies",
    "render_rbac",
]


def render() -> list[dict[str, Any]]:
    """Every manifest, in an order in which they can be applied one after the other."""
    return [render_namespace(), *render_crds(), *render_policies(), *render_rbac()]
