"""Is a supervisor alive, and what follows if not? `next_step.decide_supervisor` is where to start."""
