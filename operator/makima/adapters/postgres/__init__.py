"""The history in Postgres: migrations, backfills, and the recorder of contracts, tasks and events."""
