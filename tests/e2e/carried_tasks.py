"""Contracts on the real node whose supervisor runs tasks as Jobs, and workspaces for them in folders of this host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from makima.sandbox.image.makima_image import USER
from tests.e2e.in_pods import FOLDER, InPods
from tests.support.kills.run import Run
from tests.support.kills.world import World, contract_id
from tests.support.kube import Body

PHASES = [{"name": "only", "deliverables": [{"id": "report"}], "gate": {"autoAdvance": False}}]


async def carried(
    world: World, work: tuple[str, ...], *tasks: str, environment: Body | None = None, **spec: object
) -> str:
    """A contract whose supervisor runs these tasks, each as `work` with an argument; gives its name."""
    pods = world.supervisors
    assert isinstance(pods, InPods)
    name = f"jobs-{uuid4().hex[:6]}"
    agent = pods.template("python", f"{FOLDER}/tasks.py", *tasks, **(environment or {}))
    template = {"name": "work", "activeDeadlineSeconds": 600, "template": pods.template(*work)}
    body = await world.driven.create(
        name,
        phases=PHASES,
        supervisor={"heartbeatPeriodSeconds": 1, "template": agent},
        taskTemplates=[template],
        **spec,
    )
    world.crossing.expect(Run(name, contract_id(body), []))
    return name


async def carried_in(world: World, folder: Path, work: tuple[str, ...], *tasks: str) -> str:
    """The same with a workspace in a `volume`; each task has a worktree of its repository."""
    workspace = {"volumeClaim": {"size": "100Mi", "storageClassName": folder.name}}
    return await carried(world, work, *tasks, environment={"REPOSITORY": "/workspace/repository"}, workspace=workspace)


@contextmanager
def volume(pods: InPods) -> Iterator[Path]:
    """A volume in a folder of this machine, for claims of a class of its own name."""
    folder = pods.sandbox.folder / f"workspace-{uuid4().hex[:6]}"
    folder.mkdir()
    os.chown(folder, USER, USER)
    spec = {
        "capacity": {"storage": "100Mi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": folder.name,
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": str(folder), "type": "Directory"},
    }
    metadata = {"name": folder.name}
    pods.kubectl.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec})
    try:
        yield folder
    finally:
        pods.kubectl.run("delete", "persistentvolume", folder.name, "--wait=false")
