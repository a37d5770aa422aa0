-- name: refused
-- Beats of a group that must not be stored; usually none, so that usually nothing comes back. No lock: a beat that is
-- stored beside its own replacement carries the older incarnation, and counts for nothing (ADR 0006, "Consequences").
SELECT beat.place, COALESCE(current.incarnation, 0) AS incarnation,
    current.task_id IS NOT DISTINCT FROM beat.task_id AS known
FROM unnest(%(contracts)s::uuid[], %(tasks)s::uuid[], %(incarnations)s::bigint[])
    WITH ORDINALITY AS beat (contract_id, task_id, incarnation, place)
LEFT JOIN LATERAL (
    -- One by one, by the index, whatever the planner thinks of a whole group (OFFSET 0 keeps it from thinking): the table
    -- has everybody who ever carried something.
    SELECT contract_id, task_id, incarnation FROM supervisors WHERE contract_id = beat.contract_id OFFSET 0
) AS current ON true
WHERE current.contract_id IS NULL OR current.task_id <> beat.task_id OR current.incarnation <> beat.incarnation;

-- name: newest
SELECT life.contract_id, beat.timestamp
FROM unnest(%(contracts)s::uuid[], %(incarnations)s::bigint[]) AS life (contract_id, incarnation)
CROSS JOIN LATERAL (
    -- newest hour first, and no further than the first one found
    SELECT timestamp FROM supervisor_heartbeats
    WHERE contract_id = life.contract_id AND incarnation = life.incarnation
    ORDER BY timestamp DESC LIMIT 1
) AS beat;

-- name: last_sequences
SELECT life.contract_id, beat.sequence
FROM unnest(%(contracts)s::uuid[], %(incarnations)s::bigint[]) AS life (contract_id, incarnation)
CROSS JOIN LATERAL (
    -- Of the newest few: those who received them do not all have the same clock. All of them would be many.
    SELECT max(newest.sequence) AS sequence FROM (
        SELECT sequence FROM supervisor_heartbeats
        WHERE contract_id = life.contract_id AND incarnation = life.incarnation
            AND timestamp > %(since)s::timestamptz
        ORDER BY timestamp DESC, sequence DESC LIMIT 4
    ) AS newest
) AS beat
WHERE beat.sequence IS NOT NULL;

-- name: recent
SELECT contract_id, supervisor_task_id AS task_id, incarnation, sequence, state, phase,
    COALESCE(current_activity, '') AS current_activity, progress, pending_task_ids, timestamp AS received_at, sent_at
FROM supervisor_heartbeats WHERE contract_id = %(contract_id)s::uuid
ORDER BY timestamp DESC, incarnation DESC, sequence DESC LIMIT %(limit)s::bigint;

-- name: partitions
-- Tables named like an hour of heartbeats, beside their parent: also one whose removal was interrupted.
SELECT hour.relname AS name, link.inhrelid IS NOT NULL AS attached, COALESCE(link.inhdetachpending, false) AS pending
FROM pg_class AS parent
JOIN pg_class AS hour ON hour.relnamespace = parent.relnamespace AND hour.relkind = 'r'
LEFT JOIN pg_inherits AS link ON link.inhrelid = hour.oid AND link.inhparent = parent.oid
WHERE parent.oid = 'supervisor_heartbeats'::regclass AND hour.relname ~ '^supervisor_heartbeats_[0-9]{10}$'
ORDER BY hour.relname;

-- name: lock_making
-- One maker at a time; until the transaction ends.
SELECT pg_advisory_xact_lock(%(key)s::bigint);

-- name: try_dropping
SELECT pg_try_advisory_lock(%(key)s::bigint) AS mine;

-- name: end_dropping
SELECT pg_advisory_unlock(%(key)s::bigint);
