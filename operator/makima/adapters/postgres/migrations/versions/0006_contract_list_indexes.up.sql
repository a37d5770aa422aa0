-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_page;
CREATE INDEX CONCURRENTLY idx_contracts_page ON contracts (created_at, uid);
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_namespace_page;
CREATE INDEX CONCURRENTLY idx_contracts_namespace_page ON contracts (namespace, created_at, uid);
-- Not unique: a contract made anew under an old name may be recorded before its predecessor is found to be gone.
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_name;
CREATE INDEX CONCURRENTLY idx_contracts_name ON contracts (namespace, name, created_at);
