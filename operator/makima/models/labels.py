"""Labels and fixed places of what the operator makes: pods of supervisors, Jobs, volumes."""

from __future__ import annotations

CONTRACT_LABEL = "makima.dev/contract"
"""Name of the contract, on everything that belongs to it."""

ROLE_LABEL = "makima.dev/role"
"""What a pod or Job is for. Only the operator may set it (policy makima-run-by-operator), so it can't be forged."""

INCARNATION_LABEL = "makima.dev/incarnation"
TASK_LABEL = "makima.dev/task"
CLEARING_LABEL = "makima.dev/clearing"
"""Which clearing of its workspace a Job makes: 1, 2, …; times alone, in whole seconds, would not tell two apart."""

MANAGED_BY = {"app.kubernetes.io/managed-by": "makima-operator"}

SUPERVISOR_ROLE, TASK_ROLE, WORKTREES_ROLE = "supervisor", "task", "worktrees"

TOKEN_AUDIENCE = "makima.dev"  # noqa: S105  # a name
"""Whom the token of a supervisor's pod is for: the API service, and nobody else."""

TOKEN_SECONDS = 600
"""Shortest life of a token that Kubernetes allows; the kubelet renews the file in time."""

TOKEN_FOLDER, TOKEN_FILE = "/var/run/secrets/makima.dev", "token"
