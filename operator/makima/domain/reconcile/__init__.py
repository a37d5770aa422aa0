"""What becomes of a contract? `lifecycle.decide` is where to start."""
