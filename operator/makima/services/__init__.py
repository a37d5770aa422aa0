"""Use cases: gather, decide, write. They know ports, never Kubernetes or Postgres.

One folder for each question. In the operator, each driven by a `control_loop`: `reconcile` (what becomes of a
contract?), `supervision` (is its supervisor alive, what follows if not?), `tasks` (which Jobs do its tasks need?). In
the API service: `access` (who calls, and what may they do?), `ingest` (where do heartbeats go?), `supervisor_calls`
(what else does a supervisor say, and what is it told?), `wishes` (what do people want changed?), `reads` (what do
people read?), `monitor` (what happens now?). Neither side imports the other; both write by `status_write`.
"""
