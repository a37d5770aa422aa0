-- Everything that is stored. Locks are taken in one order, so that recorders never wait for each other in a circle:
-- contracts by uid, tasks by id, then the event counter, which is held until the commit.

-- Rows come as one JSON array: for 1,000 contracts and events that takes the client a fifth of the CPU time of one
-- INSERT each in a pipeline.

-- name: upsert_contracts
INSERT INTO contracts (
    uid, namespace, name, type, description, status, phase, phases, version, resource_version, generation, labels,
    auto_complete_enabled, status_changed_at, last_activity_at, waiting_for, blocked_reason, failure_reason,
    completion_detected_at, created_at, updated_at, suspended, running_tasks, pending_tasks, worktrees, idle_since,
    stale_after_seconds, stale_at
)
SELECT
    uid, namespace, name, type, description, status, phase, phases, version, resource_version, generation, labels,
    auto_complete_enabled, COALESCE(status_changed_at, updated_at), COALESCE(last_activity_at, updated_at),
    waiting_for, blocked_reason, failure_reason, completion_detected_at, created_at, updated_at, suspended,
    running_tasks, pending_tasks, worktrees, idle_since, stale_after_seconds, stale_at
FROM json_to_recordset(%(rows)s::json) AS incoming (
    uid uuid, namespace text, name text, type text, description text, status text, phase text, phases text[],
    version bigint, resource_version bigint, generation bigint, labels jsonb, auto_complete_enabled boolean,
    status_changed_at timestamptz, last_activity_at timestamptz, waiting_for text, blocked_reason text,
    failure_reason text, completion_detected_at timestamptz, created_at timestamptz, updated_at timestamptz,
    suspended boolean, running_tasks integer, pending_tasks integer, worktrees integer, idle_since timestamptz,
    stale_after_seconds integer, stale_at timestamptz
)
ON CONFLICT (uid) DO UPDATE SET
    description = EXCLUDED.description,
    status = EXCLUDED.status,
    phase = EXCLUDED.phase,
    phases = EXCLUDED.phases,
    version = EXCLUDED.version,
    resource_version = EXCLUDED.resource_version,
    generation = EXCLUDED.generation,
    labels = EXCLUDED.labels,
    auto_complete_enabled = EXCLUDED.auto_complete_enabled,
    status_changed_at = EXCLUDED.status_changed_at,
    last_activity_at = GREATEST(contracts.last_activity_at, EXCLUDED.last_activity_at),
    waiting_for = EXCLUDED.waiting_for,
    blocked_reason = EXCLUDED.blocked_reason,
    failure_reason = EXCLUDED.failure_reason,
    completion_detected_at = EXCLUDED.completion_detected_at,
    updated_at = EXCLUDED.updated_at,
    suspended = EXCLUDED.suspended,
    running_tasks = EXCLUDED.running_tasks,
    pending_tasks = EXCLUDED.pending_tasks,
    worktrees = EXCLUDED.worktrees,
    -- The row may have heard of heartbeats that the resource does not show yet (supervisors.sql, touch_contracts).
    idle_since = CASE WHEN EXCLUDED.idle_since IS NOT NULL
        THEN GREATEST(EXCLUDED.idle_since, contracts.last_activity_at) END,
    stale_after_seconds = EXCLUDED.stale_after_seconds,
    stale_at = CASE WHEN EXCLUDED.stale_at IS NOT NULL THEN GREATEST(
        EXCLUDED.stale_at, contracts.last_activity_at + EXCLUDED.stale_after_seconds * interval '1 second'
    ) END,
    -- Found to be gone, but written since: it was not gone.
    deleted_at = NULL
WHERE (contracts.version, contracts.resource_version) < (EXCLUDED.version, EXCLUDED.resource_version);

-- name: upsert_tasks
INSERT INTO tasks (id, contract_id, phase, name, state, template, message, created_at, completed_at)
SELECT id, contract_id, phase, name, state, template, message, created_at, completed_at
FROM json_to_recordset(%(rows)s::json) AS incoming (
    id uuid, contract_id uuid, phase text, name text, state text, template text, message text,
    created_at timestamptz, completed_at timestamptz
)
ON CONFLICT (id) DO UPDATE SET
    state = EXCLUDED.state,
    message = EXCLUDED.message,
    completed_at = EXCLUDED.completed_at
-- A task only goes forward, and its first end stays.
WHERE array_position(ARRAY['pending', 'running', 'completed', 'failed'], EXCLUDED.state)
    > array_position(ARRAY['pending', 'running', 'completed', 'failed'], tasks.state)
    AND tasks.state NOT IN ('completed', 'failed')
RETURNING id, contract_id, phase, name, state, message, created_at, completed_at,
    (SELECT namespace FROM contracts WHERE uid = tasks.contract_id) AS namespace,
    (SELECT contracts.name FROM contracts WHERE uid = tasks.contract_id) AS contract_name;

-- name: lock_counter
SELECT last FROM event_counter FOR UPDATE;

-- name: stored_event_ids
SELECT id FROM events WHERE id = ANY (%(ids)s::uuid[]);

-- name: insert_events
INSERT INTO events (seq, id, contract_id, namespace, contract_name, version, type, at, actor, payload)
SELECT %(last)s::bigint + place, id, contract_id, namespace, contract_name, version, type, at, actor,
    CASE WHEN payload ? 'contract_status' THEN payload ELSE payload || COALESCE(
        -- The state in which it happened, for whoever follows contracts in some states only.
        (SELECT jsonb_build_object('contract_status', status) FROM contracts WHERE uid = contract_id), '{}'
    ) END
FROM ROWS FROM (json_to_recordset(%(rows)s::json) AS (
    id uuid, contract_id uuid, namespace text, contract_name text, version bigint, type text, at timestamptz,
    actor text, payload jsonb
)) WITH ORDINALITY AS incoming (
    id, contract_id, namespace, contract_name, version, type, at, actor, payload, place
);

-- name: raise_counter
UPDATE event_counter SET last = last + %(count)s::bigint;

-- name: mark_deleted
WITH gone AS (
    SELECT uid FROM contracts WHERE uid = ANY (%(uids)s::uuid[]) AND deleted_at IS NULL ORDER BY uid FOR UPDATE
)
UPDATE contracts SET deleted_at = %(at)s::timestamptz FROM gone WHERE contracts.uid = gone.uid
RETURNING contracts.uid, contracts.namespace, contracts.name;

-- name: mark_caught_up
INSERT INTO projection_marks (recorder, caught_up_at) VALUES (%(recorder)s::text, clock_timestamp())
ON CONFLICT (recorder) DO UPDATE SET caught_up_at = GREATEST(projection_marks.caught_up_at, EXCLUDED.caught_up_at);
