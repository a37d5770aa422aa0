"""Clients of the live monitor, what happens for them to see, and a server that does it the naive way."""
