DELETE FROM backfills WHERE name IN ('contracts_dashboard', 'contract_counts');
DROP TABLE batch_operations;
DROP TABLE projection_marks;
DROP TRIGGER count_added ON contracts;
DROP TRIGGER count_changed ON contracts;
DROP TRIGGER count_removed ON contracts;
DROP FUNCTION recount_contracts();
DROP FUNCTION count_contracts();
DROP TABLE contract_count_changes;
DROP TABLE contract_counts;
ALTER TABLE contracts
    DROP COLUMN stale_at,
    DROP COLUMN stale_after_seconds,
    DROP COLUMN idle_since,
    DROP COLUMN worktrees,
    DROP COLUMN pending_tasks,
    DROP COLUMN running_tasks,
    DROP COLUMN suspended;
