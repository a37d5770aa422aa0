ALTER TABLE contracts
    DROP COLUMN completion_detected_at,
    DROP COLUMN auto_complete_enabled;
