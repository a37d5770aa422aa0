-- What supervisors save. Every write comes after `fence_alone` (supervisors.sql) in the same transaction, so that what
-- is read here as the last number still is the last one when the next is stored.

-- name: state
SELECT incarnation, revision, payload, checksum, updated_at
FROM supervisor_states WHERE contract_id = %(contract_id)s::uuid;

-- name: last_revision
SELECT revision AS last, checksum FROM supervisor_states WHERE contract_id = %(contract_id)s::uuid;

-- name: save_state
INSERT INTO supervisor_states (
    contract_id, task_id, incarnation, revision, payload, checksum, state, phase, current_activity, progress,
    error_message, spawned_task_ids, waiting_on_task_ids, created_at, updated_at
) VALUES (
    %(contract_id)s::uuid, %(task_id)s::uuid, %(incarnation)s::bigint, %(revision)s::bigint, %(payload)s::text,
    %(checksum)s::text, %(state)s::text, %(phase)s::text, %(current_activity)s::text, %(progress)s::integer,
    %(error)s::text, %(spawned)s::uuid[], %(waiting_on)s::uuid[], %(at)s::timestamptz, %(at)s::timestamptz
)
ON CONFLICT (contract_id) DO UPDATE SET
    task_id = EXCLUDED.task_id,
    incarnation = EXCLUDED.incarnation,
    revision = EXCLUDED.revision,
    payload = EXCLUDED.payload,
    checksum = EXCLUDED.checksum,
    state = EXCLUDED.state,
    phase = EXCLUDED.phase,
    current_activity = EXCLUDED.current_activity,
    progress = EXCLUDED.progress,
    error_message = EXCLUDED.error_message,
    spawned_task_ids = EXCLUDED.spawned_task_ids,
    waiting_on_task_ids = EXCLUDED.waiting_on_task_ids,
    updated_at = EXCLUDED.updated_at;

-- name: last_message
SELECT COALESCE(max(sequence), 0) AS last FROM supervisor_messages WHERE contract_id = %(contract_id)s::uuid;

-- name: ids_at
SELECT sequence, id FROM supervisor_messages
WHERE contract_id = %(contract_id)s::uuid AND sequence BETWEEN %(first)s::bigint AND %(last)s::bigint;

-- name: append
INSERT INTO supervisor_messages (contract_id, sequence, id, incarnation, role, content, sent_at, created_at)
SELECT %(contract_id)s::uuid, %(first)s::bigint + place - 1, id, %(incarnation)s::bigint, role, content, sent_at,
    %(at)s::timestamptz
FROM unnest(%(ids)s::uuid[], %(roles)s::text[], %(contents)s::text[], %(sent)s::timestamptz[])
    WITH ORDINALITY AS message (id, role, content, sent_at, place);

-- Messages may have a megabyte each: of a page only so many are read as fit together, the first in any case. The length of
-- a stored text is known without reading it.

-- name: messages_after
SELECT sequence, id, role, content, incarnation, sent_at, created_at FROM (
    SELECT *, sum(octet_length(content)) OVER (ORDER BY sequence) AS size FROM (
        SELECT sequence, id, role, content, incarnation, sent_at, created_at FROM supervisor_messages
        WHERE contract_id = %(contract_id)s::uuid AND sequence > %(after)s::bigint
        ORDER BY sequence LIMIT %(limit)s::bigint
    ) AS page
) AS measured
WHERE size <= %(size)s::bigint OR size = octet_length(content)
ORDER BY sequence;

-- name: newest_messages
SELECT sequence, id, role, content, incarnation, sent_at, created_at FROM (
    SELECT *, sum(octet_length(content)) OVER (ORDER BY sequence DESC) AS size FROM (
        SELECT sequence, id, role, content, incarnation, sent_at, created_at FROM supervisor_messages
        WHERE contract_id = %(contract_id)s::uuid
        ORDER BY sequence DESC LIMIT %(limit)s::bigint
    ) AS page
) AS measured
WHERE size <= %(size)s::bigint OR size = octet_length(content)
ORDER BY sequence;

-- name: checkpoints
SELECT number, incarnation, message_sequence, payload, checksum, created_at
FROM supervisor_checkpoints WHERE contract_id = %(contract_id)s::uuid ORDER BY number DESC;

-- name: checkpoint_numbers
SELECT number, checksum FROM supervisor_checkpoints WHERE contract_id = %(contract_id)s::uuid ORDER BY number DESC;

-- name: save_checkpoint
INSERT INTO supervisor_checkpoints (
    contract_id, number, incarnation, message_sequence, payload, checksum, created_at
) VALUES (
    %(contract_id)s::uuid, %(number)s::bigint, %(incarnation)s::bigint, %(message_sequence)s::bigint,
    %(payload)s::text, %(checksum)s::text, %(at)s::timestamptz
);

-- name: forget_checkpoints
DELETE FROM supervisor_checkpoints
WHERE contract_id = %(contract_id)s::uuid AND number <= %(number)s::bigint - %(kept)s::bigint;

-- name: worked
SELECT GREATEST(
    (SELECT updated_at FROM supervisor_states WHERE contract_id = %(contract_id)s::uuid),
    (
        SELECT created_at FROM supervisor_messages WHERE contract_id = %(contract_id)s::uuid
        ORDER BY sequence DESC LIMIT 1
    )
) AS at;
