-- name: unfinished
SELECT name FROM backfills WHERE finished_at IS NULL ORDER BY created_at, name;

-- name: take
-- Whoever runs a batch holds the row; another runner leaves this backfill alone meanwhile.
SELECT last_key, rows_seen FROM backfills WHERE name = %(name)s::text AND finished_at IS NULL
FOR UPDATE SKIP LOCKED;

-- name: advance
UPDATE backfills
SET last_key = %(last_key)s::uuid, rows_seen = rows_seen + %(rows)s::bigint, updated_at = now()
WHERE name = %(name)s::text;

-- name: finish
UPDATE backfills SET finished_at = now(), updated_at = now() WHERE name = %(name)s::text;

-- name: contracts_last_activity
-- plan 1.4: last_activity_at = updated_at where it is NULL; rows written meanwhile have their own.
WITH batch AS (
    SELECT uid, updated_at FROM contracts
    WHERE %(after)s::uuid IS NULL OR uid > %(after)s::uuid
    ORDER BY uid LIMIT %(limit)s::bigint FOR UPDATE
), filled AS (
    UPDATE contracts SET
        last_activity_at = COALESCE(contracts.last_activity_at, batch.updated_at),
        status_changed_at = COALESCE(contracts.status_changed_at, batch.updated_at)
    FROM batch
    WHERE contracts.uid = batch.uid
        AND (contracts.last_activity_at IS NULL OR contracts.status_changed_at IS NULL)
)
SELECT count(*) AS rows, (array_agg(uid ORDER BY uid DESC))[1] AS last_key FROM batch;

-- name: contracts_dashboard
-- What the dashboard needs of contracts that an older makima recorded. Those that the newer one wrote since have it: it
-- gives every watched contract its idle_since. Worktrees come with the next write.
WITH batch AS (
    SELECT uid, status, COALESCE(last_activity_at, updated_at) AS active_at, idle_since, deleted_at FROM contracts
    WHERE %(after)s::uuid IS NULL OR uid > %(after)s::uuid
    ORDER BY uid LIMIT %(limit)s::bigint FOR UPDATE
), filled AS (
    UPDATE contracts SET
        idle_since = batch.active_at,
        running_tasks = (SELECT count(*) FROM tasks WHERE contract_id = batch.uid AND state = 'running'),
        pending_tasks = (SELECT count(*) FROM tasks WHERE contract_id = batch.uid AND state = 'pending')
    FROM batch
    WHERE contracts.uid = batch.uid AND batch.idle_since IS NULL AND batch.deleted_at IS NULL
        AND batch.status IN ('created', 'active', 'waiting_for_input', 'blocked', 'completing')
        AND NOT contracts.suspended
)
SELECT count(*) AS rows, (array_agg(uid ORDER BY uid DESC))[1] AS last_key FROM batch;

-- name: contract_counts
-- In one go, and finished with it: nothing is left to be done after a key.
SELECT 0 AS rows, %(after)s::uuid AS last_key, recount_contracts() FROM (SELECT %(limit)s::bigint) AS unused;
