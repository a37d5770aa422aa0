-- What the dashboard shows (ADR 0012). Each list is read by an index in its own order, so that what it costs goes by what
-- is shown, not by what there is; with namespaces given, from each of them as many as are shown.

-- name: tallies
-- Kept counts, and the changes that are not folded in yet, in one snapshot.
SELECT status, phase, sum(contracts)::bigint AS contracts, sum(running_tasks)::bigint AS running_tasks,
    sum(pending_tasks)::bigint AS pending_tasks, sum(worktrees)::bigint AS worktrees
FROM (
    SELECT status, phase, contracts, running_tasks, pending_tasks, worktrees
    FROM contract_counts WHERE namespace = ANY (COALESCE(%(namespaces)s::text[], ARRAY['']))
    UNION ALL
    SELECT status, phase, contracts, running_tasks, pending_tasks, worktrees
    FROM contract_count_changes WHERE %(namespaces)s::text[] IS NULL OR namespace = ANY (%(namespaces)s::text[])
) AS both_tables
GROUP BY status, phase HAVING sum(contracts) <> 0;

-- name: tallies_counted
-- Until the counts are there (the backfill contract_counts): slow, and right.
SELECT status, phase, count(*) AS contracts, sum(running_tasks)::bigint AS running_tasks,
    sum(pending_tasks)::bigint AS pending_tasks, sum(worktrees)::bigint AS worktrees
FROM contracts
WHERE deleted_at IS NULL AND (%(namespaces)s::text[] IS NULL OR namespace = ANY (%(namespaces)s::text[]))
GROUP BY status, phase;

-- name: freshness
-- Marks of recorders that are gone for good do not count for ever.
SELECT min(caught_up_at) AS caught_up_at, clock_timestamp() - min(caught_up_at) AS lag,
    EXISTS (SELECT FROM backfills WHERE name = 'contract_counts' AND finished_at IS NOT NULL) AS counted
FROM projection_marks WHERE caught_up_at > now() - interval '7 days';

-- name: silent
-- First those that the configured threshold is for, then those with one of their own. The row of a contract may be two
-- minutes behind its supervisor's (supervisors.sql, touch_contracts): that one is looked at as well.
(
    SELECT uid AS id, contracts.namespace, contracts.name,
        GREATEST(last_activity_at, last_heartbeat_at) AS last_activity_at,
        GREATEST(idle_since, last_heartbeat_at) AS idle_since
    FROM contracts LEFT JOIN supervisors ON contract_id = uid
    WHERE deleted_at IS NULL AND stale_after_seconds IS NULL AND idle_since <= %(before)s::timestamptz
        AND (last_heartbeat_at IS NULL OR last_heartbeat_at <= %(before)s::timestamptz)
    ORDER BY contracts.idle_since LIMIT %(most)s::bigint
)
UNION ALL
(
    SELECT uid, contracts.namespace, contracts.name, GREATEST(last_activity_at, last_heartbeat_at),
        GREATEST(idle_since, last_heartbeat_at)
    FROM contracts LEFT JOIN supervisors ON contract_id = uid
    WHERE deleted_at IS NULL AND stale_at <= %(now)s::timestamptz
        AND (last_heartbeat_at IS NULL
            OR last_heartbeat_at <= %(now)s::timestamptz - stale_after_seconds * interval '1 second')
    ORDER BY stale_at LIMIT %(most)s::bigint
)
ORDER BY idle_since, id LIMIT %(most)s::bigint;

-- name: silent_in
SELECT found.id, found.namespace, found.name, found.last_activity_at, found.idle_since
FROM unnest(%(namespaces)s::text[]) AS wanted (namespace)
CROSS JOIN LATERAL (
    SELECT uid AS id, contracts.namespace, contracts.name,
        GREATEST(last_activity_at, last_heartbeat_at) AS last_activity_at,
        GREATEST(contracts.idle_since, last_heartbeat_at) AS idle_since
    FROM contracts LEFT JOIN supervisors ON contract_id = uid
    WHERE contracts.namespace = wanted.namespace AND deleted_at IS NULL AND stale_after_seconds IS NULL
        AND contracts.idle_since <= %(before)s::timestamptz
        AND (last_heartbeat_at IS NULL OR last_heartbeat_at <= %(before)s::timestamptz)
    ORDER BY contracts.idle_since LIMIT %(most)s::bigint
) AS found
UNION ALL
(
    SELECT uid, contracts.namespace, contracts.name, GREATEST(last_activity_at, last_heartbeat_at),
        GREATEST(contracts.idle_since, last_heartbeat_at)
    FROM contracts LEFT JOIN supervisors ON contract_id = uid
    WHERE contracts.namespace = ANY (%(namespaces)s::text[]) AND deleted_at IS NULL
        AND stale_at <= %(now)s::timestamptz
        AND (last_heartbeat_at IS NULL
            OR last_heartbeat_at <= %(now)s::timestamptz - stale_after_seconds * interval '1 second')
    ORDER BY stale_at LIMIT %(most)s::bigint
)
ORDER BY idle_since, id LIMIT %(most)s::bigint;

-- name: waiting
SELECT waits.uid AS id, waits.namespace, waits.name, waits.status_changed_at AS since, waits.waiting_for,
    asked.id AS question_id, asked.text AS question
FROM (
    SELECT uid, namespace, name, status_changed_at, waiting_for FROM contracts
    WHERE status = 'waiting_for_input' AND deleted_at IS NULL
    ORDER BY status_changed_at, uid LIMIT %(most)s::bigint
) AS waits
LEFT JOIN LATERAL (
    SELECT id, text FROM questions WHERE contract_id = waits.uid AND answered_at IS NULL
    ORDER BY asked_at, id LIMIT 1
) AS asked ON true
ORDER BY waits.status_changed_at, waits.uid;

-- name: waiting_in
SELECT waits.uid AS id, waits.namespace, waits.name, waits.status_changed_at AS since, waits.waiting_for,
    asked.id AS question_id, asked.text AS question
FROM (
    SELECT found.uid, found.namespace, found.name, found.status_changed_at, found.waiting_for
    FROM unnest(%(namespaces)s::text[]) AS wanted (namespace)
    CROSS JOIN LATERAL (
        SELECT uid, contracts.namespace, name, status_changed_at, waiting_for FROM contracts
        WHERE contracts.namespace = wanted.namespace AND status = 'waiting_for_input' AND deleted_at IS NULL
        ORDER BY status_changed_at, uid LIMIT %(most)s::bigint
    ) AS found
    ORDER BY found.status_changed_at, found.uid LIMIT %(most)s::bigint
) AS waits
LEFT JOIN LATERAL (
    SELECT id, text FROM questions WHERE contract_id = waits.uid AND answered_at IS NULL
    ORDER BY asked_at, id LIMIT 1
) AS asked ON true
ORDER BY waits.status_changed_at, waits.uid;

-- name: newest_events
SELECT seq, id, contract_id, namespace, contract_name, version, type, at, actor, payload
FROM events ORDER BY seq DESC LIMIT %(events)s::bigint;

-- name: newest_events_in
SELECT found.seq, found.id, found.contract_id, found.namespace, found.contract_name, found.version, found.type,
    found.at, found.actor, found.payload
FROM unnest(%(namespaces)s::text[]) AS wanted (namespace)
CROSS JOIN LATERAL (
    SELECT seq, id, contract_id, events.namespace, contract_name, version, type, at, actor, payload
    FROM events WHERE events.namespace = wanted.namespace ORDER BY seq DESC LIMIT %(events)s::bigint
) AS found
ORDER BY found.seq DESC LIMIT %(events)s::bigint;

-- name: crews
-- updated_at has the index; the clocks of Postgres and of who heard may be a minute apart.
SELECT namespace, host, count(*) AS supervisors FROM supervisors
WHERE updated_at >= %(since)s::timestamptz - interval '1 minute'
    AND GREATEST(last_heartbeat_at, registered_at) >= %(since)s::timestamptz
    AND registration_id IS NOT NULL AND host IS NOT NULL AND state NOT IN ('completed', 'failed', 'interrupted')
GROUP BY namespace, host;
