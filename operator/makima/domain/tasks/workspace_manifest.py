"""The volume of a contract's workspace, and the Job that clears it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makima.domain.supervision.pod_manifest import owner_reference
from makima.domain.supervision.pod_spec import WORKSPACE_VOLUME, claim_name, pod_security
from makima.domain.tasks.job_manifest import job
from makima.domain.tasks.workspace_layout import git_container, inside
from makima.domain.tasks.worktree_scripts import CLEAR_WORKTREES
from makima.models.contract import Contract
from makima.models.contract_spec import VolumeClaim
from makima.models.enums import TerminationOrder
from makima.models.labels import CLEARING_LABEL, CONTRACT_LABEL, MANAGED_BY, ROLE_LABEL, WORKTREES_ROLE
from makima.models.pod_template import PodTemplate

Manifest = dict[str, Any]

CLEARING_SECONDS = 900
NAMED = 200
"""Most finished tasks that a clearing names; the others are found by their age."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """What a clearing of a workspace may take away.

    Attributes:
        number: which clearing of this workspace it is, from 1.
        open: tasks whose worktrees stay.
        ended: tasks whose worktrees go.
        before: worktrees of tasks that nobody knows go if they are older than this.
        only_counts: nothing goes.
    """

    number: int
    open: tuple[str, ...]
    ended: tuple[str, ...]
    before: datetime
    only_counts: bool = False


def clearing_job_name(contract_uid: str) -> str:
    """The Job that clears up a contract's workspace; one at a time."""
    return f"worktrees-{contract_uid}"


def clearing_job(contract: Contract, clearing: Clearing, image: str) -> Manifest:
    """The Job that takes worktrees away; it says how many as its termination message.

    Raises:
        ValueError: the contract has no workspace.
    """
    workspace, meta = contract.spec.workspace, contract.metadata
    if workspace is None:
        raise ValueError(f"contract {meta.namespace}/{meta.name} has no workspace")
    variables = {
        "REPOSITORY": inside(workspace, workspace.repository),
        "WORKTREES": inside(workspace, workspace.worktrees),
        "OPEN": " ".join(clearing.open),
        "ENDED": " ".join(clearing.ended[-NAMED:]),
        "BEFORE": str(int(clearing.before.timestamp())),
        "ONLY_COUNT": "yes" if clearing.only_counts else "",
    }
    user, group = _who(contract)
    pod = {
        "containers": [git_container("clear", image, CLEAR_WORKTREES, variables, workspace)],
        "volumes": [
            {"name": WORKSPACE_VOLUME, "persistentVolumeClaim": {"claimName": claim_name(meta.name, workspace)}}
        ],
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(user, group),
    }
    spec = {"backoffLimit": 1, "activeDeadlineSeconds": CLEARING_SECONDS}
    labels = {ROLE_LABEL: WORKTREES_ROLE, CLEARING_LABEL: str(clearing.number)}
    return job(meta, clearing_job_name(meta.uid), labels, spec, pod)


def git_image_of(contract: Contract, configured: str) -> str | None:
    """An image with git: the configured one, else what the contract's own pods run."""
    if configured:
        return configured
    templates = _templates(contract)
    return templates[0].containers[0].image if templates else None


def _templates(contract: Contract) -> list[PodTemplate]:
    supervisor = contract.spec.supervisor.template if contract.spec.supervisor is not None else None
    return [*(item.template for item in contract.spec.task_templates), *([supervisor] if supervisor else [])]


def _who(contract: Contract) -> tuple[int | None, int | None]:
    """Whoever made the files has to take them away: the same user and group as the tasks."""
    templates = _templates(contract)
    users = (item.run_as_user for item in templates if item.run_as_user is not None)
    groups = (item.fs_group for item in templates if item.fs_group is not None)
    return next(users, None), next(groups, None)


def workspace_claim(contract: Contract) -> Manifest | None:
    """The claim to make for a contract's workspace; None = it has none, or names one that is there."""
    workspace, meta = contract.spec.workspace, contract.metadata
    if workspace is None or workspace.claim_name is not None:
        return None
    asked = workspace.volume_claim or VolumeClaim()
    goes = asked.when_deleted is TerminationOrder.DELETE
    storage = {} if asked.storage_class_name is None else {"storageClassName": asked.storage_class_name}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claim_name(meta.name, workspace),
            "namespace": meta.namespace,
            "labels": {**MANAGED_BY, CONTRACT_LABEL: meta.name},
            "ownerReferences": [owner_reference("Contract", meta)] if goes else [],
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": asked.size}},
            **storage,
        },
    }
