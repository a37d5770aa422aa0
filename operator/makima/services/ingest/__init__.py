"""Where do heartbeats go? The flow `heartbeat → ingest → Postgres + (sometimes) status`."""
