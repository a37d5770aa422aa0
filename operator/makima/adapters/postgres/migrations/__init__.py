"""Schema of the history, as numbered steps up and down in plain SQL (`versions/NNNN_name.{up,down}.sql`).

Rules, each held by a test: an up script drops no table and no column; a column that is added has a default or
may be NULL, so that a writer that does not know it goes on; an index on a table that exists already is built
CONCURRENTLY, in a script of its own that begins with `-- outside a transaction`.
"""
