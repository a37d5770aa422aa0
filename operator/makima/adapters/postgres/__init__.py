"""Postgres: migrations, the history of contracts, what is kept about supervisors, and lists for people."""
