"""Which edition of CRDs and policies this code needs.

Every generated CRD and policy carries it as an annotation. An operator refuses to lead on an older edition than its own
(design, "Ordering", 5): it would write what the API server prunes, or rely on a rule that is not enforced. Raise it
with every change of a schema or policy.
"""

from __future__ import annotations

SCHEMA_VERSION = 4
SCHEMA_VERSION_ANNOTATION = "makima.dev/schema-version"
PART_OF = {"app.kubernetes.io/part-of": "makima"}
"""The label by which everything of makima in a cluster is found."""


def stamp(name: str, namespace: str | None = None) -> dict[str, object]:
    """Metadata of a generated CRD or policy: its name, the label, and the edition."""
    place = {"namespace": namespace} if namespace else {}
    return {
        "name": name,
        **place,
        "labels": dict(PART_OF),
        "annotations": {SCHEMA_VERSION_ANNOTATION: str(SCHEMA_VERSION)},
    }
