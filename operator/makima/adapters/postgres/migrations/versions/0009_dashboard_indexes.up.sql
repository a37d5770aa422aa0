-- outside a transaction
-- Pages of contracts that exist, in the order of their making; those that are gone stay in the table for ever.
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_page;
CREATE INDEX CONCURRENTLY idx_contracts_live_page ON contracts (created_at, uid) WHERE deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_namespace_page;
CREATE INDEX CONCURRENTLY idx_contracts_live_namespace_page ON contracts (namespace, created_at, uid)
    WHERE deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_status_page;
CREATE INDEX CONCURRENTLY idx_contracts_live_status_page ON contracts (status, created_at, uid)
    WHERE deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_phase_page;
CREATE INDEX CONCURRENTLY idx_contracts_live_phase_page ON contracts (phase, created_at, uid)
    WHERE deleted_at IS NULL;
-- Longest in a state first: who waits for input, what is old enough to be archived.
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_status_age;
CREATE INDEX CONCURRENTLY idx_contracts_live_status_age ON contracts (status, status_changed_at, uid)
    WHERE deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_live_namespace_status_age;
CREATE INDEX CONCURRENTLY idx_contracts_live_namespace_status_age
    ON contracts (namespace, status, status_changed_at, uid) WHERE deleted_at IS NULL;
-- Longest silent first: by the configured threshold, and by a threshold of the contract's own.
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_idle;
CREATE INDEX CONCURRENTLY idx_contracts_idle ON contracts (idle_since)
    WHERE deleted_at IS NULL AND idle_since IS NOT NULL AND stale_after_seconds IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_namespace_idle;
CREATE INDEX CONCURRENTLY idx_contracts_namespace_idle ON contracts (namespace, idle_since)
    WHERE deleted_at IS NULL AND idle_since IS NOT NULL AND stale_after_seconds IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_stale_at;
CREATE INDEX CONCURRENTLY idx_contracts_stale_at ON contracts (stale_at)
    WHERE deleted_at IS NULL AND stale_at IS NOT NULL;
-- The newest events of one namespace, however many others have.
DROP INDEX CONCURRENTLY IF EXISTS idx_events_namespace_seq;
CREATE INDEX CONCURRENTLY idx_events_namespace_seq ON events (namespace, seq);
