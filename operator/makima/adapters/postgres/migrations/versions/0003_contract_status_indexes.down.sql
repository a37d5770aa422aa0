-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_last_activity;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_status;
