"""Use cases: gather, decide, write. They know ports, never Kubernetes or Postgres."""
