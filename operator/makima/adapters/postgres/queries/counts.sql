-- How many contracts there are: contract_counts, and the changes to them that are not folded in yet (ADR 0012).

-- name: fold
-- One folder at a time, and only so much: a statement that others wait for must be short. Whoever reads both tables in
-- one statement sees a change in exactly one of them.
WITH mine AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(%(key)s::bigint) AS held
), taken AS (
    DELETE FROM contract_count_changes WHERE id IN (
        SELECT id FROM contract_count_changes WHERE (SELECT held FROM mine) ORDER BY id LIMIT %(limit)s::bigint
    )
    RETURNING namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees
), folded AS (
    INSERT INTO contract_counts AS counts
        (namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees)
    SELECT COALESCE(namespace, ''), status, phase, sum(contracts), sum(running_tasks), sum(pending_tasks),
        sum(worktrees)
    FROM taken GROUP BY GROUPING SETS ((namespace, status, phase), (status, phase))
    ON CONFLICT (namespace, status, phase) DO UPDATE SET
        contracts = counts.contracts + EXCLUDED.contracts,
        running_tasks = counts.running_tasks + EXCLUDED.running_tasks,
        pending_tasks = counts.pending_tasks + EXCLUDED.pending_tasks,
        worktrees = counts.worktrees + EXCLUDED.worktrees
)
SELECT count(*) AS folded FROM taken;

-- name: check
-- One statement, one snapshot: right also while contracts change. Where the counts say something else than the rows do.
WITH said AS (
    SELECT namespace, status, phase, sum(contracts) AS contracts, sum(running_tasks) AS running_tasks,
        sum(pending_tasks) AS pending_tasks, sum(worktrees) AS worktrees
    FROM (
        SELECT namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees FROM contract_counts
        UNION ALL
        SELECT namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees FROM contract_count_changes
        UNION ALL
        SELECT '', status, phase, contracts, running_tasks, pending_tasks, worktrees FROM contract_count_changes
    ) AS both_tables
    GROUP BY namespace, status, phase
), counted AS (
    SELECT COALESCE(namespace, '') AS namespace, status, phase, count(*) AS contracts,
        sum(running_tasks) AS running_tasks, sum(pending_tasks) AS pending_tasks, sum(worktrees) AS worktrees
    FROM contracts WHERE deleted_at IS NULL GROUP BY GROUPING SETS ((namespace, status, phase), (status, phase))
)
SELECT namespace, status, phase, COALESCE(said.contracts, 0)::bigint AS said,
    COALESCE(counted.contracts, 0)::bigint AS counted
FROM said FULL JOIN counted USING (namespace, status, phase)
WHERE (COALESCE(said.contracts, 0), COALESCE(said.running_tasks, 0), COALESCE(said.pending_tasks, 0),
        COALESCE(said.worktrees, 0))
    <> (COALESCE(counted.contracts, 0), COALESCE(counted.running_tasks, 0), COALESCE(counted.pending_tasks, 0),
        COALESCE(counted.worktrees, 0))
ORDER BY namespace, status, phase;

-- name: recount
SELECT recount_contracts();
