-- Who carries which contract. Every writer of a supervisor's data locks its row here first, in a statement of its own:
-- a statement sees what was committed when it began, so one that waited for the lock must not go on with what it saw.

-- name: session
SELECT contract_id, task_id, namespace, name, incarnation, registration_id, registered_at, pod_uid, host, state, phase,
    current_activity, progress, pending_task_ids, error_message, sequence, last_heartbeat_at, restoration,
    restoration_text, restored_at, updated_at
FROM supervisors WHERE contract_id = %(contract_id)s::uuid;

-- name: sessions
SELECT contract_id, task_id, namespace, name, incarnation, registration_id, registered_at, pod_uid, host, state, phase,
    current_activity, progress, pending_task_ids, error_message, sequence, last_heartbeat_at, restoration,
    restoration_text, restored_at, updated_at
FROM supervisors WHERE contract_id = ANY (%(contract_ids)s::uuid[]);

-- name: begin_writing
-- Gives the transaction its id before it looks at the clock for updated_at: see horizon.
SELECT pg_current_xact_id();

-- name: allocate
-- A row below `after` is from a Postgres that lost commits (an older backup): what was given out is never given again.
INSERT INTO supervisors (contract_id, task_id, namespace, name, incarnation, updated_at)
VALUES (
    %(contract_id)s::uuid, %(task_id)s::uuid, %(namespace)s::text, %(name)s::text, %(after)s::bigint + 1,
    clock_timestamp()
)
ON CONFLICT (contract_id) DO UPDATE SET
    task_id = EXCLUDED.task_id,
    namespace = EXCLUDED.namespace,
    name = EXCLUDED.name,
    incarnation = EXCLUDED.incarnation,
    registration_id = NULL,
    registered_at = NULL,
    pod_uid = NULL,
    host = NULL,
    state = 'initializing',
    sequence = 0,
    updated_at = clock_timestamp()
WHERE supervisors.incarnation <= %(after)s::bigint
RETURNING contract_id;

-- name: set_pod
UPDATE supervisors SET pod_uid = %(pod_uid)s::uuid, updated_at = clock_timestamp()
WHERE contract_id = %(contract_id)s::uuid AND incarnation = %(incarnation)s::bigint
    AND pod_uid IS DISTINCT FROM %(pod_uid)s::uuid;

-- name: register
UPDATE supervisors SET
    registration_id = %(registration_id)s::uuid,
    registered_at = %(at)s::timestamptz,
    host = %(host)s::text,
    updated_at = clock_timestamp()
WHERE contract_id = %(contract_id)s::uuid AND incarnation = %(incarnation)s::bigint AND registration_id IS NULL
RETURNING contract_id;

-- name: record_restoration
UPDATE supervisors SET
    restoration = %(outcome)s::text,
    restoration_text = %(text)s::text,
    restored_at = %(at)s::timestamptz,
    updated_at = clock_timestamp()
WHERE contract_id = %(contract_id)s::uuid;

-- name: fence
-- FOR SHARE: others who only check go on beside this one, while whoever begins a new life waits until it is committed.
SELECT incarnation, task_id FROM supervisors WHERE contract_id = %(contract_id)s::uuid FOR SHARE;

-- name: fence_alone
-- The same, for writers that count on from what is stored: two of one life must not both see the same last number.
SELECT incarnation, task_id FROM supervisors WHERE contract_id = %(contract_id)s::uuid FOR NO KEY UPDATE;

-- name: horizon
-- Before this moment nothing more will be committed: updated_at is never older than the transaction that sets it.
-- A transaction has an id from its first write or row lock on. One without a start that we may see, or that is older than any of
-- ours can be, counts as half a minute old.
SELECT COALESCE(
    min(GREATEST(COALESCE(xact_start, '-infinity'), clock_timestamp() - interval '30 seconds')), clock_timestamp()
) AS moment
FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid();

-- name: changed_since
SELECT contract_id, task_id, namespace, name, incarnation, registration_id, registered_at, pod_uid, host, state, phase,
    current_activity, progress, pending_task_ids, error_message, sequence, last_heartbeat_at, restoration,
    restoration_text, restored_at, LEAST(updated_at, %(horizon)s::timestamptz) AS updated_at
FROM supervisors
WHERE %(moment)s::timestamptz IS NULL OR supervisors.updated_at >= %(moment)s::timestamptz
ORDER BY supervisors.updated_at, contract_id;

-- name: lock_refreshed
-- In one order, so that two API processes that refresh the same supervisors never wait for each other in a circle.
SELECT FROM supervisors WHERE contract_id = ANY (%(contract_ids)s::uuid[]) ORDER BY contract_id FOR NO KEY UPDATE;

-- name: changed_states
-- What these heartbeats make of the states of their supervisors, one row for each change, in order: to be asked after
-- lock_refreshed and before refresh. Usually nothing.
SELECT contract_id, task_id, namespace, contract_name, incarnation, sequence, old_state, new_state, at
FROM (
    SELECT row.contract_id, row.task_id, row.namespace, row.name AS contract_name, row.incarnation, beat.sequence,
        lag(beat.state, 1, row.state::text) OVER (PARTITION BY row.contract_id ORDER BY beat.sequence) AS old_state,
        beat.state AS new_state, beat.received_at AS at
    FROM unnest(
        %(contract_ids)s::uuid[], %(incarnations)s::bigint[], %(sequences)s::bigint[], %(states)s::text[],
        %(received)s::timestamptz[]
    ) AS beat (contract_id, incarnation, sequence, state, received_at)
    JOIN supervisors AS row ON row.contract_id = beat.contract_id
        AND row.incarnation = beat.incarnation
        AND row.sequence < beat.sequence
) AS step
WHERE old_state <> new_state
ORDER BY at, contract_id, sequence;

-- name: lock_state
SELECT contract_id, task_id, namespace, name AS contract_name, incarnation, sequence, state AS old_state,
    clock_timestamp() AS at
FROM supervisors WHERE contract_id = %(contract_id)s::uuid FOR NO KEY UPDATE;

-- name: judge
UPDATE supervisors SET state = %(state)s::text, updated_at = clock_timestamp()
WHERE contract_id = %(contract_id)s::uuid;

-- name: refresh
UPDATE supervisors SET
    state = beat.state,
    phase = beat.phase,
    current_activity = beat.current_activity,
    progress = beat.progress,
    pending_task_ids = beat.pending_task_ids::uuid[],
    sequence = beat.sequence,
    last_heartbeat_at = GREATEST(supervisors.last_heartbeat_at, beat.received_at),
    updated_at = clock_timestamp()
FROM unnest(
    %(contract_ids)s::uuid[], %(incarnations)s::bigint[], %(sequences)s::bigint[], %(states)s::text[],
    %(phases)s::text[], %(activities)s::text[], %(progresses)s::smallint[], %(pending)s::text[],
    %(received)s::timestamptz[]
) AS beat (
    contract_id, incarnation, sequence, state, phase, current_activity, progress, pending_task_ids, received_at
)
WHERE supervisors.contract_id = beat.contract_id
    AND supervisors.incarnation = beat.incarnation
    AND supervisors.sequence < beat.sequence;

-- name: touch_contracts
-- A contract's row follows its heartbeats, two minutes behind at most (ADR 0012): each row changes seldom, and whoever
-- looks for silent contracts by index finds few that are not. What somebody else writes now is left to the next beat.
WITH due AS (
    SELECT contracts.uid, beat.received_at
    FROM unnest(%(contract_ids)s::uuid[], %(received)s::timestamptz[]) AS beat (contract_id, received_at)
    JOIN contracts ON contracts.uid = beat.contract_id
    WHERE contracts.idle_since IS NOT NULL AND contracts.deleted_at IS NULL
        AND beat.received_at > contracts.idle_since
            + LEAST(120, COALESCE(contracts.stale_after_seconds, 480) / 4.0) * interval '1 second'
    ORDER BY contracts.uid FOR NO KEY UPDATE OF contracts SKIP LOCKED
)
UPDATE contracts SET
    last_activity_at = GREATEST(contracts.last_activity_at, due.received_at),
    idle_since = GREATEST(contracts.idle_since, due.received_at),
    stale_at = due.received_at + contracts.stale_after_seconds * interval '1 second'
FROM due WHERE contracts.uid = due.uid AND contracts.idle_since IS NOT NULL;
