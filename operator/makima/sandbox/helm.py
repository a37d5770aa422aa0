"""Helm, for the tests of the chart: 4, and 3 for those who have not moved yet; built once per user."""

from __future__ import annotations

from pathlib import Path

from makima.sandbox.go_build import Progress
from makima.sandbox.programs import Program, build_missing

HELMS = (
    Program("helm", "helm", "helm.sh/helm/v4/cmd/helm", "v4.3.1"),
    Program("helm", "helm3", "helm.sh/helm/v3/cmd/helm", "v3.22.0"),
)


def find_helm(version: str, progress: Progress) -> Path:
    """Where the Helm of this version (of HELMS) is.

    Raises:
        SandboxError: its build failed.
    """
    (wanted,) = (program for program in HELMS if program.version == version)
    build_missing([wanted], progress)
    return wanted.file
