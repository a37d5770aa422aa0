"""What do people see of a contract? `waits` is where to start: what it waits for, and what ends that."""
