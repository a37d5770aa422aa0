"""Helm, for the tests of the chart: 4, and 3 for those who have not moved yet; built once per user."""

from __future__ import annotations

from pathlib import Path

from makima.sandbox.go_build import Progress
from makima.sandbox.programs import Program, build_missing

CAPABILITIES = " ".join(
    f"-X helm.sh/helm/v3/pkg/{place}.k8sVersion{part}={number}"
    for place in ("chartutil", "lint/rules")
    for part, number in (("Major", "1"), ("Minor", "37"))
)
"""The Kubernetes that Helm 3 renders for without a cluster, as its own releases set it; else it is 1.20."""

HELMS = (
    Program("helm", "helm", "helm.sh/helm/v4/cmd/helm", "v4.3.1"),
    Program("helm", "helm3", "helm.sh/helm/v3/cmd/helm", "v3.22.0", CAPABILITIES),
)


def find_helm(version: str, progress: Progress) -> Path:
    """Where the Helm of this version (of HELMS) is.

    Raises:
        SandboxError: its build failed.
    """
    (wanted,) = (program for program in HELMS if program.version == version)
    build_missing([wanted], progress)
    return wanted.file
