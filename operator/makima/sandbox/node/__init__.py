"""One real Kubernetes node on this machine: containerd, kubelet and a pod network in namespaces of their own.

Start reading at `node.py`: what runs on the host, and `init_process.py`: what runs inside.
"""
