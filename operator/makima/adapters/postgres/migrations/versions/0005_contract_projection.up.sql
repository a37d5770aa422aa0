ALTER TABLE contracts
    ADD COLUMN generation       bigint NOT NULL DEFAULT 0,
    ADD COLUMN resource_version bigint NOT NULL DEFAULT 0,  -- of the object that the row shows
    ADD COLUMN phases           text[] NOT NULL DEFAULT '{}',
    ADD COLUMN labels           jsonb  NOT NULL DEFAULT '{}',
    ADD COLUMN deleted_at       timestamptz;
