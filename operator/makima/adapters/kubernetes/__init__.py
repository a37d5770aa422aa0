"""The Kubernetes API, met by kubernetes.aio. Together with `makima.handlers` the only place that knows it."""
