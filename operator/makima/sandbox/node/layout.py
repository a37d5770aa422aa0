"""Where a node keeps what, below the folder of its sandbox, and what is written there before it starts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from makima.sandbox.node.addresses import Addresses

NODE = "node"
PAUSE_IMAGE = "localhost/makima-pause:1"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one node.

    Attributes:
        folder: everything of the node is below it.
        sandbox: the name of the sandbox that it belongs to.
        number: chooses its addresses.
        api_port: where the API server listens, at the machine's end of the cable.
        programs: folder with the programs that a node runs.
    """

    folder: Path
    sandbox: str
    number: int
    api_port: int
    programs: Path

    @property
    def addresses(self) -> Addresses:
        """Where it is in the network."""
        return Addresses(self.number)

    @property
    def containerd(self) -> Path:
        """containerd's configuration."""
        return self.folder / "containerd.toml"

    @property
    def kubelet(self) -> Path:
        """kubelet's configuration."""
        return self.folder / "kubelet.json"

    @property
    def network(self) -> Path:
        """The folder with the pod network's configuration."""
        return self.folder / "cni"

    @property
    def kubeconfig(self) -> Path:
        """Who kubelet is for the API server."""
        return self.folder / "kubelet.kubeconfig"

    @property
    def proxy_kubeconfig(self) -> Path:
        """Who the service proxy is for the API server."""
        return self.folder / "services.kubeconfig"

    @property
    def authority(self) -> Path:
        """Who signs the certificates that kubelet believes."""
        return self.folder.parent / "pki" / "ca.crt"

    @property
    def init(self) -> Path:
        """The process id, as the machine counts, of the node's process 1."""
        return self.folder / "init.pid"

    @property
    def connected(self) -> Path:
        """There when the cable between machine and node works."""
        return self.folder / "connected"

    def write(self) -> None:
        """Keep it for the node's own process."""
        (self.folder / "layout.json").write_text(json.dumps({key: str(value) for key, value in asdict(self).items()}))

    @classmethod
    def read(cls, folder: Path) -> Layout:
        """What `write` kept."""
        kept = json.loads((folder / "layout.json").read_text())
        return cls(folder, kept["sandbox"], int(kept["number"]), int(kept["api_port"]), Path(kept["programs"]))
