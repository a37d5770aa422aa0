-- name: ping
SELECT 1;

-- part: rows_of_contracts
SELECT uid, namespace, name, type, description, status, phase, phases, version, resource_version, generation, labels,
    auto_complete_enabled, status_changed_at, last_activity_at, waiting_for, blocked_reason, failure_reason,
    completion_detected_at, created_at, updated_at, suspended, running_tasks, pending_tasks, worktrees, idle_since,
    stale_after_seconds, stale_at, deleted_at
FROM contracts

-- name: contract
{rows_of_contracts} WHERE uid = %(uid)s::uuid;

-- name: find_contracts
{rows_of_contracts} WHERE namespace = %(namespace)s::text AND name = %(name)s::text
ORDER BY created_at DESC, uid DESC;

-- name: tasks
SELECT id, contract_id, phase, name, state, template, message, created_at, completed_at
FROM tasks WHERE contract_id = %(contract_id)s::uuid ORDER BY created_at, id;

-- name: tasks_after
SELECT id, contract_id, phase, name, state, created_at, template, message, completed_at, incarnation, arguments
FROM tasks WHERE contract_id = %(contract_id)s::uuid
    AND (created_at, id) > (%(at)s::timestamptz, %(id)s::uuid)
ORDER BY created_at, id LIMIT %(limit)s::bigint;

-- name: questions_after
SELECT id, contract_id, incarnation, phase, text, options, asked_at, answer, answered_by, answered_at
FROM questions WHERE contract_id = %(contract_id)s::uuid
    AND (asked_at, id) > (%(at)s::timestamptz, %(id)s::uuid)
    AND (NOT %(only_open)s::boolean OR answer IS NULL)
ORDER BY asked_at, id LIMIT %(limit)s::bigint;

-- part: stored_events
SELECT seq, id, contract_id, namespace, contract_name, version, type, at, actor, payload
FROM events

-- name: events_of_contract
{stored_events} WHERE contract_id = %(contract_id)s::uuid AND seq > %(after)s::bigint
ORDER BY seq LIMIT %(limit)s::bigint;

-- name: newest_events_of_contract
{stored_events} WHERE contract_id = %(contract_id)s::uuid AND seq < %(before)s::bigint
ORDER BY seq DESC LIMIT %(limit)s::bigint;

-- name: events_after
{stored_events} WHERE seq > %(after)s::bigint ORDER BY seq LIMIT %(limit)s::bigint;

-- name: versions
SELECT DISTINCT version FROM events
WHERE contract_id = %(contract_id)s::uuid AND version IS NOT NULL ORDER BY version;

-- name: missing_versions
WITH stored AS (
    SELECT DISTINCT version FROM events WHERE contract_id = %(contract_id)s::uuid AND version IS NOT NULL
), known AS (
    SELECT GREATEST(
        (SELECT max(version) FROM stored), (SELECT version FROM contracts WHERE uid = %(contract_id)s::uuid)
    ) AS highest
)
SELECT candidate FROM known, generate_series(1, known.highest) AS candidate
WHERE candidate NOT IN (SELECT version FROM stored) ORDER BY candidate;

-- name: recorded_versions
SELECT contracts.uid::text, newest.version
FROM contracts CROSS JOIN LATERAL (
    -- one look into the index (contract_id, version) per contract, however long its history is
    SELECT version FROM events WHERE contract_id = contracts.uid AND version IS NOT NULL ORDER BY version DESC LIMIT 1
) AS newest
WHERE contracts.deleted_at IS NULL;

-- name: unversioned
SELECT uid::text, suspended, running_tasks, pending_tasks, worktrees, waiting_for FROM contracts
WHERE deleted_at IS NULL
    AND (suspended OR running_tasks > 0 OR pending_tasks > 0 OR worktrees > 0 OR waiting_for IS NOT NULL);

-- name: live_uids
SELECT uid::text, namespace, name FROM contracts WHERE deleted_at IS NULL ORDER BY uid;

-- name: schema_revision
SELECT version_num FROM makima_migrations;

-- name: namespaces
-- A loose index scan: one look into the index for each namespace, however many contracts it has.
WITH RECURSIVE found AS (
    (SELECT namespace FROM contracts ORDER BY namespace LIMIT 1)
    UNION ALL
    SELECT (SELECT namespace FROM contracts WHERE namespace > found.namespace ORDER BY namespace LIMIT 1)
    FROM found WHERE found.namespace IS NOT NULL
)
SELECT namespace FROM found WHERE namespace IS NOT NULL;
