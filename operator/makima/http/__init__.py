"""HTTP and WebSocket in front of the use cases: parse, call, answer. Knows no adapter."""
