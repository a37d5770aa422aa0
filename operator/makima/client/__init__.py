"""A person's side of makima, shared by the command line and the terminal UI.

Contracts and supervisors are read from the Kubernetes API with the caller's kubeconfig, wishes are written to `spec` as
that person, and makima's own API gives what Kubernetes does not have: events, the monitor stream, heartbeats, export.

Modules import what is heavy (aiohttp, the Kubernetes client) when it is used: `--help` and completion stay fast.
"""

from __future__ import annotations

from makima.client.person import Person, connect
from makima.client.place import Place

__all__ = ["Person", "Place", "connect"]
