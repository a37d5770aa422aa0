"""A pod template as a Kubernetes pod spec, with what makima adds. Always `restricted`, whatever the template says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from makima.models.contract_spec import Workspace
from makima.models.pod_template import Container, EnvVar, PodTemplate, Resources, Toleration, Volume, VolumeMount

Manifest = dict[str, Any]

WORKSPACE_VOLUME = "makima-workspace"


@dataclass(frozen=True, slots=True)
class Injection:
    """What makima adds to a template.

    Attributes:
        contract: name of the contract, for the name of its workspace claim.
        environment: of the first container; stands above what the template says.
        volumes: of the pod.
        mounts: of the first container.
        workspace: mounted into every container that does not use its path for something else.
        first: containers that run before all others.
    """

    contract: str
    environment: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[Manifest, ...] = ()
    mounts: tuple[Manifest, ...] = ()
    workspace: Workspace | None = None
    first: tuple[Manifest, ...] = ()


def pod_spec(template: PodTemplate, injected: Injection) -> Manifest:
    """The pod spec; only what is set is there, so that defaults stay those of Kubernetes."""
    spec: Manifest = {
        "containers": _containers(template, injected),
        "initContainers": [*injected.first, *(_container(one, injected, {}) for one in template.init_containers)],
        "volumes": [*(_volume(one) for one in template.volumes), *injected.volumes, *_workspace_volume(injected)],
        "restartPolicy": "Never",
        "automountServiceAccountToken": template.automount_service_account_token,
        "enableServiceLinks": False,
        "securityContext": pod_security(template.run_as_user, template.fs_group),
        "terminationGracePeriodSeconds": template.termination_grace_period_seconds,
        "serviceAccountName": template.service_account_name,
        "imagePullSecrets": [{"name": name} for name in template.image_pull_secrets],
        "nodeSelector": dict(template.node_selector),
        "tolerations": [_toleration(one) for one in template.tolerations],
        "priorityClassName": template.priority_class_name,
        "runtimeClassName": template.runtime_class_name,
    }
    return present(spec)


def present(fields: Mapping[str, Any]) -> Manifest:
    """The fields that say something."""
    return {key: value for key, value in fields.items() if value not in (None, [], {}, ())}


def pod_security(user: int | None, group: int | None) -> Manifest:
    """Not as root, and with the runtime's system call filter."""
    security: Manifest = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return security | present({"runAsUser": user, "fsGroup": group})


def container_security(*, read_only: bool) -> Manifest:
    """Nothing beyond what an ordinary process may do."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": read_only,
        "runAsNonRoot": True,
    }


def claim_name(contract: str, workspace: Workspace) -> str:
    """The claim that a workspace is in: a named one, or one of the contract's own."""
    return workspace.claim_name or f"{contract}-workspace"


def workspace_mount(workspace: Workspace) -> Manifest:
    """Where pods see the workspace."""
    return {"name": WORKSPACE_VOLUME, "mountPath": workspace.mount_path}


def _workspace_volume(injected: Injection) -> list[Manifest]:
    if injected.workspace is None:
        return []
    claim = {"claimName": claim_name(injected.contract, injected.workspace)}
    return [{"name": WORKSPACE_VOLUME, "persistentVolumeClaim": claim}]


def _containers(template: PodTemplate, injected: Injection) -> list[Manifest]:
    first, *others = template.containers
    main = _container(first, injected, injected.environment, injected.mounts)
    return [main, *(_container(one, injected, {}) for one in others)]


def _container(
    container: Container, injected: Injection, added: Mapping[str, str], mounts: tuple[Manifest, ...] = ()
) -> Manifest:
    return present(
        {
            "name": container.name,
            "image": container.image,
            "command": list(container.command),
            "args": list(container.args),
            "workingDir": container.working_dir,
            "env": _environment(container.env, added),
            "envFrom": [
                *({"secretRef": {"name": name}} for name in container.env_from_secrets),
                *({"configMapRef": {"name": name}} for name in container.env_from_config_maps),
            ],
            "resources": _resources(container.resources),
            "volumeMounts": _mounts(container.volume_mounts, mounts, injected.workspace),
            "securityContext": container_security(read_only=container.read_only_root_filesystem),
        }
    )


def _environment(own: tuple[EnvVar, ...], added: Mapping[str, str]) -> list[Manifest]:
    kept = [_variable(item) for item in own if item.name not in added]
    return [*({"name": name, "value": value} for name, value in added.items()), *kept]


def _variable(item: EnvVar) -> Manifest:
    for kind, reference in (("secretKeyRef", item.secret_key_ref), ("configMapKeyRef", item.config_map_key_ref)):
        if reference is not None:
            return {"name": item.name, "valueFrom": {kind: {"name": reference.name, "key": reference.key}}}
    return {"name": item.name, "value": item.value or ""}


def _mounts(own: tuple[VolumeMount, ...], added: tuple[Manifest, ...], workspace: Workspace | None) -> list[Manifest]:
    """What makima mounts takes the place of what a template has at the same path; a workspace gives way to it."""
    taken = {item["mountPath"] for item in added}
    mounts = [_mount(item) for item in own if item.mount_path not in taken]
    free = workspace is not None and workspace.mount_path not in {item["mountPath"] for item in (*mounts, *added)}
    return [*mounts, *added, *([workspace_mount(workspace)] if workspace is not None and free else [])]


def _mount(item: VolumeMount) -> Manifest:
    mount: Manifest = {"name": item.name, "mountPath": item.mount_path, "subPath": item.sub_path}
    return present(mount) | ({"readOnly": True} if item.read_only else {})


def _resources(resources: Resources | None) -> Manifest | None:
    if resources is None:
        return None
    requests = present({"cpu": resources.cpu_request, "memory": resources.memory_request})
    limits = present({"cpu": resources.cpu_limit, "memory": resources.memory_limit})
    return present({"requests": requests, "limits": limits})


def _volume(volume: Volume) -> Manifest:
    kinds = {
        "configMap": {"name": volume.config_map} if volume.config_map else None,
        "secret": {"secretName": volume.secret} if volume.secret else None,
        "emptyDir": {"sizeLimit": volume.empty_dir_size} if volume.empty_dir_size else None,
        "persistentVolumeClaim": (
            {"claimName": volume.persistent_volume_claim} if volume.persistent_volume_claim else None
        ),
    }
    return {"name": volume.name, **present(kinds)}


def _toleration(item: Toleration) -> Manifest:
    """Without a value any value of the key is put up with; without a key any taint."""
    operator = "Equal" if item.value is not None else "Exists"
    return present({"key": item.key, "operator": operator, "value": item.value, "effect": item.effect})
