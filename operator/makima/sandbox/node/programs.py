"""What a node runs, and where it comes from: Go modules, built once per user; runc of the machine if it has one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from makima.sandbox.go_build import Progress
from makima.sandbox.node import bundle
from makima.sandbox.programs import KUBERNETES_STAMP, KUBERNETES_VERSION, Program, build_missing

CONTAINERD_VERSION, RUNC_VERSION, CNI_VERSION, PAUSE_VERSION = "v2.4.2", "v1.5.2", "v1.9.1", "v1"
CONTAINERD, CNI = "github.com/containerd/containerd/v2/cmd", "github.com/containernetworking/plugins/plugins"
RUNTIME = "container-runtime"
CLUSTER = tuple(
    Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", KUBERNETES_VERSION, KUBERNETES_STAMP)
    for name in ("kube-controller-manager", "kube-scheduler", "kubelet")
)
CONTAINERS = (
    *(
        Program(name, "containerd", f"{CONTAINERD}/{name}", CONTAINERD_VERSION)
        for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    ),
    Program("bridge", "cni", f"{CNI}/main/bridge", CNI_VERSION),
    Program("host-local", "cni", f"{CNI}/ipam/host-local", CNI_VERSION),
    Program("loopback", "cni", f"{CNI}/main/loopback", CNI_VERSION),
    Program("pause", "pause", ".", PAUSE_VERSION),
)
RUNC = Program("runc", "runc", "github.com/opencontainers/runc", RUNC_VERSION, needs_c=True)


def find_node_programs(progress: Progress) -> dict[str, Path]:
    """The programs of a node by name; builds what is nowhere to be had, minutes once per user.

    Raises:
        SandboxError: a build failed.
    """
    own = shutil.which("runc")
    wanted = (*CLUSTER, *CONTAINERS, *(() if own else (RUNC,)))
    build_missing(wanted, progress)
    return {program.name: program.file for program in wanted} | ({"runc": Path(own)} if own else {})


def one_node_folder(folder: Path, programs: dict[str, Path]) -> Path:
    """One folder with everything, and `container-runtime`: runc, as containerd calls it."""
    folder.mkdir(parents=True)
    for name, file in programs.items():
        (folder / name).symlink_to(file)
    runtime = folder / RUNTIME
    if programs["runc"] == RUNC.file:
        runtime.write_text(_without_seccomp(RUNC.file))
        runtime.chmod(0o755)
    else:
        runtime.symlink_to(programs["runc"])
    return folder


def _without_seccomp(runc: Path) -> str:
    """Ours is built without libseccomp, which no registry has, and refuses any profile: profiles are taken out.

    So on such a node RuntimeDefault is accepted and not enforced. A machine's own runc enforces it.
    """
    prepare = f'"{sys.executable}" -I -S "{bundle.__file__}" "$@" || exit 1'
    return f'#!/bin/sh\ncase " $* " in *" create "*) {prepare} ;; esac\nexec "{runc}" "$@"\n'
