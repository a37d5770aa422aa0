"""Who may do what: the operator's own rights, and roles for people (design, "RBAC verbs of our own").

Nobody but the operator and the API service may write `contracts/status`, and neither may write a contract's `spec`:
people wish, they act, and can't confirm what they are about to do.
"""

from __future__ import annotations

from typing import Any

from makima.models.markers import API_GROUP, MONITOR_GROUP
from makima.schema.version import PART_OF

NAMESPACE = "makima-system"
OPERATOR = "makima-operator"
API_SERVICE = "makima-api"
API = "rbac.authorization.k8s.io/v1"
READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete")
RESOURCES = ("contracts", "contracttypes", "supervisors")

Rule = dict[str, Any]


def rule(group: str, resources: tuple[str, ...], verbs: tuple[str, ...]) -> Rule:
    """One rule of a role."""
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def ours(resources: tuple[str, ...], verbs: tuple[str, ...]) -> Rule:
    """One rule about makima's own resources."""
    return rule(API_GROUP, resources, verbs)


def operator_rules() -> list[Rule]:
    """What the operator does, and nothing else: no spec of contracts, no verb confirm, no secrets."""
    return [
        ours(RESOURCES, READ),
        ours(("contracts",), ("delete",)),  # ttlSecondsAfterFinished
        ours(("contracts/status",), ("update",)),
        # Supervisors are made, and kept, as their contracts say; propagate: see docs/adr, 5.
        ours(("supervisors",), ("create", "update", "propagate")),
        ours(("supervisors/status",), ("update",)),
        rule("", ("pods",), (*READ, "create", "delete")),
        rule("batch", ("jobs",), (*READ, "create", "delete")),  # tasks, and clearing up workspaces
        rule("", ("persistentvolumeclaims",), ("create",)),  # workspaces; they go with their contracts
        rule("", ("services",), ("get",)),  # where an HTTP validator is, and that it is in the cluster
        rule("", ("events",), ("create", "patch")),
        # The operator looks whether CRDs and policies are new enough for it to lead.
        rule("apiextensions.k8s.io", ("customresourcedefinitions",), ("get",)),
        rule("admissionregistration.k8s.io", ("validatingadmissionpolicies",), ("get",)),
    ]


def api_rules() -> list[Rule]:
    """What the API service does, and nothing else: asks who calls, reads what is carried, writes what is told."""
    return [
        rule("authentication.k8s.io", ("tokenreviews",), ("create",)),
        rule("authorization.k8s.io", ("subjectaccessreviews",), ("create",)),
        ours(("contracts", "supervisors"), ("get",)),
        ours(("contracts/status",), ("update",)),
        rule("", ("services",), ("get",)),  # where an HTTP validator is, and that it is in the cluster
        rule("", ("events",), ("create", "patch")),
    ]


def monitor_rules() -> list[Rule]:
    """What the API server asks for before it forwards a call; the API service asks RBAC about makima.dev after it.

    `create` is how a question with a body is put. So whoever may look at contracts may put every one: what it may do
    is decided by the second asking, and nothing is written in a person's name that comes this way.
    """
    # RBAC knows no `contracts/*`, and a list of subresources would be forgotten when one is added.
    return [rule(MONITOR_GROUP, ("*",), (*READ, "create"))]


CLUSTER_GROUPS = frozenset(
    {"admissionregistration.k8s.io", "apiextensions.k8s.io", "authentication.k8s.io", "authorization.k8s.io"}
)
"""API groups of which everything that we use has cluster scope, so that no Role can grant it."""


def needs_cluster_scope(one: Rule) -> bool:
    """Whether only a ClusterRole, bound for the whole cluster, can grant this rule."""
    return bool(CLUSTER_GROUPS & set(one["apiGroups"]))


def lease_rules() -> list[Rule]:
    """What the operator does in its own namespace. watch: /healthz goes by whether the leader sees its renewals."""
    return [rule("coordination.k8s.io", ("leases",), ("get", "watch", "create", "update"))]


def people_roles() -> list[dict[str, Any]]:
    """Roles to bind to people, supervisors and pipelines."""
    own = ours(("contracts",), ("confirm", "supervise", "batch"))
    return [
        cluster_role("makima-view", [ours(RESOURCES, READ), *monitor_rules()], into="view"),
        cluster_role("makima-edit", [ours(RESOURCES, (*READ, *WRITE)), *monitor_rules()], into="edit"),
        cluster_role(
            "makima-admin",
            [ours(RESOURCES, (*READ, *WRITE, "deletecollection")), own, *monitor_rules()],
            into="admin",
        ),
        cluster_role("makima-confirm", [ours(("contracts",), (*READ, "update", "patch", "confirm")), *monitor_rules()]),
        cluster_role(
            "makima-supervise",
            [
                ours(("contracts",), (*READ, "update", "patch", "supervise")),
                ours(("supervisors",), (*READ, "create", "update", "patch")),
                ours(("contracttypes",), READ),
                *monitor_rules(),
            ],
        ),
        cluster_role("makima-batch", [ours(("contracts",), (*READ, "batch")), *monitor_rules()]),
    ]


def cluster_role(name: str, rules: list[Rule], *, into: str | None = None) -> dict[str, Any]:
    """A ClusterRole; `into` adds it to one of Kubernetes' own roles view, edit and admin."""
    aggregate = {f"rbac.authorization.k8s.io/aggregate-to-{into}": "true"} if into else {}
    return {
        "apiVersion": API,
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {**PART_OF, **aggregate}},
        "rules": rules,
    }


def render_rbac() -> list[dict[str, Any]]:
    """Service account, roles and bindings, in the order in which they can be created."""
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _place(OPERATOR)},
        cluster_role(OPERATOR, operator_rules()),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _place(API_SERVICE)},
        cluster_role(API_SERVICE, api_rules()),
        *people_roles(),
        {"apiVersion": API, "kind": "Role", "metadata": _place(OPERATOR), "rules": lease_rules()},
        _binding("ClusterRoleBinding", "ClusterRole", {"name": OPERATOR, "labels": dict(PART_OF)}),
        _binding("ClusterRoleBinding", "ClusterRole", {"name": API_SERVICE, "labels": dict(PART_OF)}),
        _binding("RoleBinding", "Role", _place(OPERATOR)),
        front_proxy_binding(),
    ]


def front_proxy_binding() -> dict[str, Any]:
    """Lets the API service read who the cluster's front proxy is (the aggregated API)."""
    metadata = {"name": f"{API_SERVICE}-front-proxy", "namespace": "kube-system", "labels": dict(PART_OF)}
    binding = _binding("RoleBinding", "Role", metadata, to=API_SERVICE)
    binding["roleRef"]["name"] = "extension-apiserver-authentication-reader"
    return binding


def render_namespace() -> dict[str, Any]:
    """The namespace that the operator runs in."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": dict(PART_OF)}}


def _place(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "labels": dict(PART_OF)}


def _binding(kind: str, role: str, metadata: dict[str, Any], *, to: str | None = None) -> dict[str, Any]:
    """Binds a role to the service account of the same name, or another one."""
    name = to or metadata["name"]
    return {
        "apiVersion": API,
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }
