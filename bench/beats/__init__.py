"""The load of the heartbeat scenarios: who sends, over which sockets, and what else writes the same rows."""
