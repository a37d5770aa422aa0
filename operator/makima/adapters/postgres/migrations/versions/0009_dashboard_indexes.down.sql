-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS idx_events_namespace_seq;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_stale_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_namespace_idle;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_idle;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_namespace_status_age;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_status_age;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_phase_page;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_status_page;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_namespace_page;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_page;
