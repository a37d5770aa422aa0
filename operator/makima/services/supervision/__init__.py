"""Is a supervisor alive, and what follows if not? The flow `timer → overdue? → restart → restore`."""
