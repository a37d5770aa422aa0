ALTER TABLE contracts
    DROP COLUMN deleted_at,
    DROP COLUMN labels,
    DROP COLUMN phases,
    DROP COLUMN resource_version,
    DROP COLUMN generation;
