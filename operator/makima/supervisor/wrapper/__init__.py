"""`makima supervise`: any agent program as a supervisor, with state across its restarts."""
