ALTER TABLE contracts
    ADD COLUMN auto_complete_enabled  boolean DEFAULT true,
    ADD COLUMN completion_detected_at timestamptz;
