-- outside a transaction
-- An interrupted concurrent build leaves an invalid index behind: hence DROP first.
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_status;
CREATE INDEX CONCURRENTLY idx_contracts_status ON contracts (status);
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_last_activity;
CREATE INDEX CONCURRENTLY idx_contracts_last_activity ON contracts (last_activity_at);
