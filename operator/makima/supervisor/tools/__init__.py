"""Tools with which a wrapped agent acts on its contract: calls on a socket of the wrapper, offered over MCP."""
