"""A curated, typed, bounded subset of a pod template: what a supervisor or a task may run as.

Left out on purpose: host namespaces, host paths, privileged or added capabilities, and volumes other than config,
secret, scratch and claim. So a template can never ask for more than the `restricted` Pod Security level allows.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from makima.models.bounds import Label, ObjectName
from makima.models.markers import AtomicList, ListMap, Model, Rule

Argument = Annotated[str, StringConstraints(max_length=512)]
EnvName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")]
Quantity = Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?([EPTGMk]i?|m)?$")]
Path = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^/[!-~]*$")]


ConfigKey = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[-._a-zA-Z0-9]+$")]
LABEL_KEY = r"^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?)?$"
LabelKey = Annotated[str, StringConstraints(max_length=253, pattern=LABEL_KEY)]
LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=LABEL_VALUE)]

WORDS = 4096
"""Bytes of command, arguments and literal environment values of one container."""


class KeyReference(Model):
    """One key of a ConfigMap or Secret in the same namespace."""

    name: ObjectName = Field(description="Name of the ConfigMap or Secret.")
    key: ConfigKey = Field(description="Key in it, 128 characters at most.")


class EnvVar(Model):
    """One environment variable: a value, or a reference to one."""

    __rules__: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(has(self.value) ? 1 : 0) + (has(self.secretKeyRef) ? 1 : 0) + (has(self.configMapKeyRef) ? 1 : 0) <= 1",
            "VALIDATION_FAILED: set at most one of value, secretKeyRef and configMapKeyRef",
        ),
    )

    name: EnvName = Field(description="Name of the variable. Names that begin with MAKIMA_ are set by makima itself.")
    value: Argument | None = Field(
        None,
        description="Literal value, 512 characters at most; longer ones belong in a ConfigMap.",
    )
    secret_key_ref: KeyReference | None = Field(None, description="Take the value from a Secret.")
    config_map_key_ref: KeyReference | None = Field(None, description="Take the value from a ConfigMap.")


class Resources(Model):
    """What a container asks for and may use at most."""

    cpu_request: Quantity | None = Field(
        None, description="CPU asked for, in cores, for example 100m. Default: the LimitRange's."
    )
    cpu_limit: Quantity | None = Field(None, description="CPU at most, in cores. Default: the LimitRange's.")
    memory_request: Quantity | None = Field(
        None, description="Memory asked for, in bytes, for example 128Mi. Default: the LimitRange's."
    )
    memory_limit: Quantity | None = Field(None, description="Memory at most, in bytes. Default: the LimitRange's.")


class VolumeMount(Model):
    """Where a container sees a volume."""

    name: Label = Field(description="Name of a volume of this template.")
    mount_path: Path = Field(description="Absolute path in the container.")
    sub_path: Annotated[str, StringConstraints(max_length=128, pattern=r"^[!-~]*$")] | None = Field(
        None, description="Path inside the volume. Default: its root."
    )
    read_only: bool = Field(False, description="Whether the container may only read. Default: false.")


class Container(Model):
    """One container. It always runs without privileges, without added capabilities and not as root."""

    __rules__: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(has(self.command) ? self.command.map(word, size(bytes(word))).sum() : 0)"
            " + (has(self.args) ? self.args.map(word, size(bytes(word))).sum() : 0)"
            " + (has(self.env) ? self.env.map(e, has(e.value) ? size(bytes(e.value)) : 0).sum() : 0)"
            f" <= {WORDS}",
            f"VALIDATION_FAILED: command, args and env values of a container have at most {WORDS} bytes together; "
            "longer texts belong in a ConfigMap",
        ),
    )

    name: Label = Field(description="Name of the container, unique in the template.")
    image: Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[!-~]+$")] = Field(
        description="Image reference."
    )
    command: Annotated[tuple[Argument, ...], AtomicList(), Field(max_length=8)] = Field(
        (), description="Entry point. Default: the image's."
    )
    args: Annotated[tuple[Argument, ...], AtomicList(), Field(max_length=16)] = Field(
        (), description="Arguments. Default: the image's."
    )
    env: Annotated[tuple[EnvVar, ...], ListMap(("name",)), Field(max_length=16)] = Field(
        (), description="Environment variables. Default: none."
    )
    env_from_secrets: Annotated[tuple[ObjectName, ...], AtomicList(), Field(max_length=4)] = Field(
        (), description="Secrets whose keys all become environment variables. Default: none."
    )
    env_from_config_maps: Annotated[tuple[ObjectName, ...], AtomicList(), Field(max_length=4)] = Field(
        (), description="ConfigMaps whose keys all become environment variables. Default: none."
    )
    resources: Resources | None = Field(None, description="CPU and memory. Default: the namespace's LimitRange.")
    volume_mounts: Annotated[tuple[VolumeMount, ...], ListMap(("mountPath",)), Field(max_length=8)] = Field(
        (), description="Volumes that the container sees. Default: none."
    )
    working_dir: Path | None = Field(None, description="Working directory. Default: the image's.")
    read_only_root_filesystem: bool = Field(
        True, description="Whether the root file system is read-only. Default: true."
    )


class Volume(Model):
    """One volume, of exactly one kind."""

    __rules__: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(has(self.configMap) ? 1 : 0) + (has(self.secret) ? 1 : 0) + (has(self.emptyDirSize) ? 1 : 0)"
            " + (has(self.persistentVolumeClaim) ? 1 : 0) == 1",
            "VALIDATION_FAILED: set exactly one of configMap, secret, emptyDirSize and persistentVolumeClaim",
        ),
    )

    name: Label = Field(description="Name of the volume, unique in the template.")
    config_map: ObjectName | None = Field(None, description="Name of a ConfigMap in the same namespace.")
    secret: ObjectName | None = Field(None, description="Name of a Secret in the same namespace.")
    empty_dir_size: Quantity | None = Field(
        None, description="A scratch directory of at most this many bytes, for example 1Gi."
    )
    persistent_volume_claim: ObjectName | None = Field(
        None, description="Name of a PersistentVolumeClaim in the same namespace."
    )


class Toleration(Model):
    """A taint that the pod puts up with."""

    key: LabelKey | None = Field(None, description="Key of the taint. Default: any.")
    value: LabelValue | None = Field(None, description="Value of the taint. Default: any.")
    effect: (
        Annotated[str, StringConstraints(max_length=32, pattern=r"^(NoSchedule|PreferNoSchedule|NoExecute)$")] | None
    ) = Field(None, description="NoSchedule, PreferNoSchedule or NoExecute. Default: all.")


class PodTemplate(Model):
    """What runs. Creating or changing one needs the right to create pods in this namespace."""

    containers: Annotated[tuple[Container, ...], ListMap(("name",)), Field(min_length=1, max_length=2)] = Field(
        description="The containers; the first one is the supervisor or task itself."
    )
    init_containers: Annotated[tuple[Container, ...], ListMap(("name",)), Field(max_length=1)] = Field(
        (), description="A container that runs to its end before. Default: none."
    )
    volumes: Annotated[tuple[Volume, ...], ListMap(("name",)), Field(max_length=8)] = Field(
        (), description="Volumes. Default: none."
    )
    service_account_name: Label | None = Field(
        None,
        description="ServiceAccount to run as; another than default needs the verb use or impersonate on it. "
        "Default: default.",
    )
    automount_service_account_token: bool = Field(
        False,
        description="Whether the pod gets a token for the Kubernetes API, for a supervisor that may confirm or use "
        "kubectl. Default: false.",
    )
    image_pull_secrets: Annotated[tuple[ObjectName, ...], AtomicList(), Field(max_length=4)] = Field(
        (), description="Secrets with registry credentials. Default: those of the service account."
    )
    node_selector: Annotated[
        dict[LabelKey, LabelValue],
        Field(max_length=8),
    ] = Field(default_factory=dict, description="Labels that the node has to have. Default: none.")
    tolerations: Annotated[tuple[Toleration, ...], AtomicList(), Field(max_length=8)] = Field(
        (), description="Taints that the pod puts up with. Default: none."
    )
    run_as_user: int | None = Field(
        None, ge=1, le=2147483647, description="Numeric user id, not 0. Default: the image's."
    )
    fs_group: int | None = Field(
        None, ge=1, le=2147483647, description="Numeric group that owns the volumes. Default: none."
    )
    termination_grace_period_seconds: int = Field(
        30, ge=1, le=3600, description="Seconds between the request to stop and the kill. Default: 30."
    )
    priority_class_name: Label | None = Field(None, description="PriorityClass. Default: the cluster's default.")
    runtime_class_name: Label | None = Field(
        None, description="RuntimeClass, for example a sandboxed one. Default: the node's."
    )
