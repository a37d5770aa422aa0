-- What the live monitor reads. What others have already read is in queries/read.sql (events_after).

-- name: last
SELECT last FROM event_counter;

-- name: replay
-- Everything in a window of numbers: so no question takes long, however few events pass the filter.
SELECT seq, id, contract_id, namespace, contract_name, version, type, at, actor, payload
FROM events
WHERE seq > %(after)s::bigint AND seq <= %(until)s::bigint
    AND (%(namespaces)s::text[] IS NULL OR namespace = ANY (%(namespaces)s::text[]))
ORDER BY seq LIMIT %(limit)s::bigint;

-- name: replay_contracts
-- The next events of some contracts: a look into the index for each.
SELECT found.*
FROM unnest(%(contract_ids)s::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT seq, id, contract_id, namespace, contract_name, version, type, at, actor, payload
    FROM events
    WHERE contract_id = wanted.id AND seq > %(after)s::bigint AND seq <= %(until)s::bigint
    ORDER BY seq LIMIT %(limit)s::bigint
) AS found
WHERE %(namespaces)s::text[] IS NULL OR found.namespace = ANY (%(namespaces)s::text[])
ORDER BY seq LIMIT %(limit)s::bigint;

-- name: carried
SELECT supervisors.contract_id, supervisors.namespace, supervisors.name, contracts.status
FROM supervisors LEFT JOIN contracts ON contracts.uid = supervisors.contract_id
WHERE supervisors.contract_id = ANY (%(contract_ids)s::uuid[]);

-- name: heard_since
SELECT supervisors.contract_id, supervisors.namespace, supervisors.name, contracts.status, supervisors.incarnation,
    supervisors.sequence, supervisors.state, supervisors.phase, supervisors.current_activity, supervisors.progress,
    supervisors.last_heartbeat_at AS at
FROM supervisors LEFT JOIN contracts ON contracts.uid = supervisors.contract_id
WHERE supervisors.updated_at >= %(since)s::timestamptz AND supervisors.sequence > 0
    AND supervisors.last_heartbeat_at IS NOT NULL
ORDER BY supervisors.updated_at;

-- name: now
SELECT clock_timestamp() AS now;
