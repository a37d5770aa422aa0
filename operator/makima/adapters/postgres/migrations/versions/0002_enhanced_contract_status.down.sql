DROP TABLE backfills;
ALTER TABLE contracts
    DROP COLUMN failure_reason,
    DROP COLUMN blocked_reason,
    DROP COLUMN waiting_for,
    DROP COLUMN last_activity_at,
    DROP COLUMN status_changed_at;
