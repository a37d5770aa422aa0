"""`makima.supervisor`: the client library, and the wrapper for any agent program."""
