"""The Kubernetes API, met by kubernetes.aio. Together with `makima.handlers` the only place that knows it."""

from makima import parent_package as parent_package  # before anything imports kubernetes
