"""A real etcd, kube-apiserver and Postgres on this machine: for a first try, the demo, the tests and the benchmarks.

Needs the extra `makima-operator[sandbox]`. Start reading at `sandbox.py` and `starting.py`.
"""

from makima.sandbox.recorded import attach
from makima.sandbox.sandbox import Own, Sandbox
from makima.sandbox.starting import start
from makima.sandbox.state import known_sandboxes

__all__ = ["Own", "Sandbox", "attach", "known_sandboxes", "start"]
