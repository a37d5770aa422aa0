"""The vocabulary: custom resources and history values, as frozen pydantic models without any I/O.

The CRDs in `crds/`, the reference in `docs/` and every decision in `makima.domain` come from these classes, so a field
is named, described and bounded in exactly one place.
"""
