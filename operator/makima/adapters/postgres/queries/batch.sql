-- Bulk operations: which contracts one may be for, and the record of each run (ADR 0012).

-- name: in_states
-- For each state, and namespace, by the index in its own order; then the longest of all.
SELECT found.uid AS id, found.namespace, found.name
FROM unnest(%(states)s::text[]) AS wanted (status)
CROSS JOIN LATERAL (
    SELECT uid, namespace, name, status_changed_at FROM contracts
    WHERE contracts.status = wanted.status AND deleted_at IS NULL
        AND (%(before)s::timestamptz IS NULL OR status_changed_at <= %(before)s::timestamptz)
        AND (%(suspended)s::boolean IS NULL OR suspended = %(suspended)s::boolean)
    ORDER BY status_changed_at, uid LIMIT %(most)s::bigint
) AS found
ORDER BY found.status_changed_at, found.uid LIMIT %(most)s::bigint;

-- name: in_states_of
SELECT found.uid AS id, found.namespace, found.name
FROM unnest(%(namespaces)s::text[]) AS place (namespace)
CROSS JOIN unnest(%(states)s::text[]) AS wanted (status)
CROSS JOIN LATERAL (
    SELECT uid, contracts.namespace, name, status_changed_at FROM contracts
    WHERE contracts.namespace = place.namespace AND contracts.status = wanted.status AND deleted_at IS NULL
        AND (%(before)s::timestamptz IS NULL OR status_changed_at <= %(before)s::timestamptz)
        AND (%(suspended)s::boolean IS NULL OR suspended = %(suspended)s::boolean)
    ORDER BY status_changed_at, uid LIMIT %(most)s::bigint
) AS found
ORDER BY found.status_changed_at, found.uid LIMIT %(most)s::bigint;

-- name: stale
-- Only those that somebody carries: others have nobody to be restarted.
SELECT uid AS id, contracts.namespace, contracts.name, GREATEST(last_activity_at, last_heartbeat_at) AS heard
FROM contracts JOIN supervisors ON contract_id = uid
WHERE deleted_at IS NULL AND (%(namespaces)s::text[] IS NULL OR contracts.namespace = ANY (%(namespaces)s::text[]))
    AND GREATEST(contracts.idle_since, last_heartbeat_at) <= %(now)s::timestamptz
        - COALESCE(stale_after_seconds * interval '1 second', %(threshold)s::interval)
    AND contracts.idle_since IS NOT NULL
ORDER BY contracts.idle_since, uid LIMIT %(most)s::bigint;

-- name: begin
INSERT INTO batch_operations (id, operation, requested_by, requester_uid, namespaces, request, dry_run, started_at)
VALUES (
    %(id)s::uuid, %(operation)s::text, %(requested_by)s::text, %(requester_uid)s::text, %(namespaces)s::text[],
    %(request)s::jsonb, %(dry_run)s::boolean, %(started_at)s::timestamptz
);

-- name: finish
UPDATE batch_operations SET
    finished_at = %(finished_at)s::timestamptz,
    result = %(result)s::text,
    affected_count = cardinality(%(affected_ids)s::uuid[]),
    affected_ids = %(affected_ids)s::uuid[],
    errors = %(errors)s::jsonb
WHERE id = %(id)s::uuid;

-- name: reported
-- The end of a run whose writes its caller made: once, and by the same caller.
UPDATE batch_operations SET
    finished_at = %(finished_at)s::timestamptz,
    result = %(result)s::text,
    affected_count = cardinality(%(affected_ids)s::uuid[]),
    affected_ids = %(affected_ids)s::uuid[],
    errors = %(errors)s::jsonb
WHERE id = %(id)s::uuid AND requested_by = %(requested_by)s::text AND requester_uid = %(requester_uid)s::text
    AND finished_at IS NULL AND request ->> 'by_caller' = 'true'
RETURNING operation;
