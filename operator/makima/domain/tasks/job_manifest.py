"""From a task template to the Job of one task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from makima.domain.supervision.pod_manifest import owner_reference
from makima.domain.supervision.pod_spec import Injection, pod_spec
from makima.domain.tasks.workspace_layout import git_container, inside, worktree_path
from makima.domain.tasks.worktree_scripts import ADD_WORKTREE
from makima.models.contract import Contract
from makima.models.contract_spec import TaskTemplate, Workspace
from makima.models.labels import CONTRACT_LABEL, MANAGED_BY, ROLE_LABEL, TASK_LABEL, TASK_ROLE
from makima.models.metadata import Metadata

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskToRun:
    """A task that becomes a Job."""

    id: str
    name: str
    phase: str
    arguments: tuple[str, ...] = ()


def task_job_name(task_id: str) -> str:
    """The Job of a task: there can be no second one."""
    return f"task-{task_id}"


def task_job(contract: Contract, template: TaskTemplate, task: TaskToRun, git_image: str) -> Manifest:
    """The Job of a task. It belongs to the contract, not to a life of its supervisor: a restart leaves it running.

    Args:
        git_image: image with a shell and git, for the worktree; "" = the task's own.
    """
    workspace = contract.spec.workspace
    pod = pod_spec(
        template.template,
        Injection(
            contract=contract.metadata.name,
            environment=_task_environment(contract, task, workspace),
            workspace=workspace,
            first=(_worktree_container(template, task, workspace, git_image),) if workspace is not None else (),
        ),
    )
    main = pod["containers"][0]
    main["args"] = [*main.get("args", ()), *task.arguments]
    if not main["args"]:
        del main["args"]
    if workspace is not None:
        main.setdefault("workingDir", worktree_path(workspace, task.id))
    labels = {ROLE_LABEL: TASK_ROLE, TASK_LABEL: task.id}
    spec = {"backoffLimit": template.backoff_limit, "activeDeadlineSeconds": template.active_deadline_seconds}
    return job(contract.metadata, task_job_name(task.id), labels, spec, pod)


def _task_environment(contract: Contract, task: TaskToRun, workspace: Workspace | None) -> dict[str, str]:
    found = {
        "MAKIMA_CONTRACT": f"{contract.metadata.namespace}/{contract.metadata.name}",
        "MAKIMA_TASK_ID": task.id,
        "MAKIMA_TASK_NAME": task.name,
        "MAKIMA_PHASE": task.phase,
    }
    return found if workspace is None else found | {"MAKIMA_WORKTREE": worktree_path(workspace, task.id)}


def _worktree_container(template: TaskTemplate, task: TaskToRun, workspace: Workspace, git_image: str) -> Manifest:
    variables = {
        "REPOSITORY": inside(workspace, workspace.repository),
        "WORKTREE": worktree_path(workspace, task.id),
        "BRANCH": f"makima/{task.id}",
    }
    image = git_image or template.template.containers[0].image
    return git_container("makima-worktree", image, ADD_WORKTREE, variables, workspace)


def job(contract: Metadata, name: str, labels: dict[str, str], spec: Manifest, pod: Manifest) -> Manifest:
    """A Job of the contract. Its pods do not carry the role: the Job controller makes them, and may not set it."""
    mine = {**MANAGED_BY, CONTRACT_LABEL: contract.name, **labels}
    theirs = {key: value for key, value in mine.items() if key != ROLE_LABEL}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": contract.namespace,
            "labels": mine,
            "ownerReferences": [owner_reference("Contract", contract)],
        },
        "spec": {**spec, "template": {"metadata": {"labels": theirs}, "spec": pod}},
    }
