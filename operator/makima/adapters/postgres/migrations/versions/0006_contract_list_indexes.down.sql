-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_name;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_namespace_page;
DROP INDEX CONCURRENTLY IF EXISTS idx_contracts_page;
