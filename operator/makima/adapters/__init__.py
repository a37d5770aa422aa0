"""The only importers of the Kubernetes client, psycopg and alembic: what meets `makima.ports`."""
