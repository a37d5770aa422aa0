"""makima: a Kubernetes operator that carries long-running agent work through phases."""

__version__ = "0.1.0"
