-- Pages of contracts, newest first. Each call looks at a bounded number of rows, whatever is asked for and however deep
-- the page is: first where that number ends, then what fits within it. Conditions on parameters that are not given fold
-- away when the statement is planned, which is done anew for each call (`makima.adapters.postgres.contract_lists`).

-- name: end_everywhere
SELECT created_at, uid FROM contracts
WHERE (%(gone)s::boolean OR deleted_at IS NULL)
    AND (%(status)s::text IS NULL OR status = %(status)s::text)
    AND (created_at, uid) < (%(at)s::timestamptz, %(id)s::uuid)
ORDER BY created_at DESC, uid DESC OFFSET %(rows)s::bigint LIMIT 1;

-- name: end_in_namespaces
SELECT ends.created_at, ends.uid
FROM unnest(%(namespaces)s::text[]) AS wanted (namespace)
CROSS JOIN LATERAL (
    SELECT created_at, uid FROM contracts
    WHERE contracts.namespace = wanted.namespace AND (%(gone)s::boolean OR deleted_at IS NULL)
        AND (created_at, uid) < (%(at)s::timestamptz, %(id)s::uuid)
    ORDER BY created_at DESC, uid DESC OFFSET %(rows)s::bigint LIMIT 1
) AS ends
ORDER BY ends.created_at DESC, ends.uid DESC LIMIT 1;

-- part: fitting
SELECT uid, namespace, name, type, description, status, phase, phases, version, resource_version, generation, labels,
    auto_complete_enabled, status_changed_at, last_activity_at, waiting_for, blocked_reason, failure_reason,
    completion_detected_at, created_at, updated_at, deleted_at, silent.stale
FROM contracts
CROSS JOIN LATERAL (
    SELECT idle_since IS NOT NULL AND deleted_at IS NULL AND GREATEST(
        idle_since, (SELECT last_heartbeat_at FROM supervisors WHERE contract_id = contracts.uid)
    ) <= %(now)s::timestamptz - make_interval(
        secs => COALESCE(%(threshold)s::float8, stale_after_seconds, %(usual_threshold)s::float8)
    ) AS stale
) AS silent
WHERE CASE WHEN %(gone)s::boolean THEN deleted_at IS NOT NULL ELSE deleted_at IS NULL END
    AND (created_at, uid) < (%(at)s::timestamptz, %(id)s::uuid)
    AND (created_at, uid) >= (%(end_at)s::timestamptz, %(end_id)s::uuid)
    AND (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s::text[]))
    AND (%(phases)s::text[] IS NULL OR phase = ANY (%(phases)s::text[]))
    AND (%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
    AND (%(name)s::text IS NULL OR name = %(name)s::text)
    AND (%(labels)s::jsonb IS NULL OR labels @> %(labels)s::jsonb)
    AND (NOT %(stale)s::boolean OR silent.stale)

-- name: page_everywhere
{fitting}
    AND (%(status)s::text IS NULL OR status = %(status)s::text)
ORDER BY created_at DESC, uid DESC LIMIT %(limit)s::bigint;

-- name: page_in_namespaces
SELECT found.*
FROM unnest(%(namespaces)s::text[]) AS wanted (place)
CROSS JOIN LATERAL (
    {fitting}
        AND namespace = wanted.place
    ORDER BY created_at DESC, uid DESC LIMIT %(limit)s::bigint
) AS found
ORDER BY found.created_at DESC, found.uid DESC LIMIT %(limit)s::bigint;

-- name: caught_up
-- Marks of recorders that are gone for good do not count for ever.
SELECT min(caught_up_at) AS caught_up_at FROM projection_marks WHERE caught_up_at > now() - interval '7 days';
