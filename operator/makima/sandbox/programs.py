"""Where etcd, kube-apiserver and kubectl come from: KUBEBUILDER_ASSETS, else the cache, else they are built once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from makima.sandbox.folders import SandboxError, programs_folder
from makima.sandbox.go_build import Progress, build
from makima.sandbox.locking import exclusive

KUBERNETES_VERSION = "v1.37.2"
ETCD_VERSION = "v3.7.3"
KUBERNETES_STAMP = " ".join(
    f"-X k8s.io/component-base/version.{key}={value}"
    for key, value in (("gitVersion", KUBERNETES_VERSION), ("gitMajor", "1"), ("gitMinor", "37"))
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program to be built: from which of our module files, which package, which linker flags, with or without C."""

    name: str
    module: str
    package: str
    version: str
    linker_flags: str = ""
    needs_c: bool = False

    @property
    def file(self) -> Path:
        """Where the cache has it."""
        return programs_folder() / f"{self.module}-{self.version}" / self.name


PROGRAMS = (
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3", ETCD_VERSION),
    Program(
        "kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", KUBERNETES_VERSION, KUBERNETES_STAMP
    ),
    Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", KUBERNETES_VERSION, KUBERNETES_STAMP),
)


def find_programs(progress: Progress) -> dict[str, Path]:
    """The programs by name; builds what is nowhere to be had, which takes minutes and is done once per user.

    Raises:
        SandboxError: KUBEBUILDER_ASSETS lacks one, or the build failed.
    """
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given:
        return _given(Path(given))
    build_missing(PROGRAMS, progress)
    return {program.name: program.file for program in PROGRAMS}


def build_missing(wanted: Sequence[Program], progress: Progress) -> None:
    """Build what the cache lacks; one process at a time, others wait for it.

    Raises:
        SandboxError: a build failed.
    """
    if all(program.file.exists() for program in wanted):
        return
    programs_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusive(programs_folder() / "build.lock"):
        for one in wanted:
            if not one.file.exists():
                build(one.module, one.package, one.file, one.linker_flags, progress, needs_c=one.needs_c)


def _given(folder: Path) -> dict[str, Path]:
    found = {program.name: folder / program.name for program in PROGRAMS}
    missing = [name for name, file in found.items() if not os.access(file, os.X_OK)]
    if missing:
        raise SandboxError(
            f"KUBEBUILDER_ASSETS names {folder}, which lacks {', '.join(missing)}",
            "unset it to use what the cache has (or builds), or name a complete folder",
        )
    return found
