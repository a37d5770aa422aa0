"""Which Jobs and workspaces do tasks need, and how did they end? `task_jobs` is where to start."""
