"""How is everything level-triggered driven? One keyed queue, one heap of deadlines, and workers."""
