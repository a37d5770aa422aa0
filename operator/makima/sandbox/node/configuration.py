"""What containerd, kubelet and the pod network are told, and why."""

from __future__ import annotations

import json
from typing import Any

from makima.sandbox.node.cgroups import cgroup_name
from makima.sandbox.node.layout import CONTAINERD_SOCKET, NODE, PAUSE_IMAGE, Layout


def write_configuration(layout: Layout, snapshotter: str) -> None:
    """Write what the programs of the node read."""
    layout.containerd.write_text(containerd(layout, snapshotter))
    layout.kubelet.write_text(json.dumps(kubelet(layout), indent=1))
    layout.network.mkdir(exist_ok=True)
    (layout.network / "10-pods.conflist").write_text(json.dumps(network(layout), indent=1))


def containerd(layout: Layout, snapshotter: str) -> str:
    """containerd.toml. Values are quoted as JSON strings, which are TOML strings too."""
    folder, runtime = str(layout.folder), str(layout.programs / "container-runtime")
    return f"""version = 3
root = {json.dumps(f"{folder}/containerd")}
state = "/run/containerd"
[grpc]
  address = {json.dumps(CONTAINERD_SOCKET)}
[plugins.'io.containerd.internal.v1.opt']
  path = {json.dumps(f"{folder}/containerd/opt")}
[plugins.'io.containerd.cri.v1.images']
  snapshotter = {json.dumps(snapshotter)}
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = {json.dumps(PAUSE_IMAGE)}
[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE nobody may lower an OOM score, and runc ends at trying.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = {json.dumps(runtime)}
      SystemdCgroup = false
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = [{json.dumps(str(layout.programs))}]
    conf_dir = {json.dumps(str(layout.network))}
[plugins.'io.containerd.transfer.v1.local']
  [[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
    platform = "linux"
    snapshotter = {json.dumps(snapshotter)}
"""


def kubelet(layout: Layout) -> dict[str, Any]:
    """KubeletConfiguration: certificates for whoever calls it, cgroups below one of the sandbox's own."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(layout.addresses.node),
        "healthzBindAddress": str(layout.addresses.node),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(layout.authority)},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup_name(layout.sandbox)}",
        "failCgroupV1": False,  # machines with cgroup v1 are still around
        "failSwapOn": False,
        "oomScoreAdj": 0,  # as with containerd: a lower one needs CAP_SYS_RESOURCE
        "clusterDomain": "cluster.local",
        "clusterDNS": [str(layout.addresses.node)],
        "resolvConf": str(layout.folder / "resolv.conf"),
        "podLogsDir": str(layout.folder / "pods"),
        "volumePluginDir": str(layout.folder / "volume-plugins"),
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "500Mi", "imagefs.available": "500Mi"},
        # A full disk is the machine's own business: an imported image could not be pulled again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "nodeStatusUpdateFrequency": "5s",
    }


def network(layout: Layout) -> dict[str, Any]:
    """A bridge for the pods; no address translation, as the machine has a route to them."""
    return {
        "cniVersion": "1.0.0",
        "name": NODE,
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods",
                "isGateway": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/pod-addresses",
                    "ranges": [[{"subnet": str(layout.addresses.pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }
