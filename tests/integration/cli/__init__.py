"""The command line against a real API server, a real operator and a real Postgres, as different people."""
