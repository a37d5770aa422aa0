-- The plan adds both times with DEFAULT now(), which would fill every existing row with the moment of this migration
-- and leave its backfill nothing to do. So the column first, then the default for new rows; old rows get theirs from
-- the backfill.
ALTER TABLE contracts
    ADD COLUMN status_changed_at timestamptz,
    ADD COLUMN last_activity_at  timestamptz,
    ADD COLUMN waiting_for       text,
    ADD COLUMN blocked_reason    text,
    ADD COLUMN failure_reason    text;
ALTER TABLE contracts
    ALTER COLUMN status_changed_at SET DEFAULT now(),
    ALTER COLUMN last_activity_at SET DEFAULT now();

-- Work on old rows that is too long for a migration, and how far it has come.
CREATE TABLE backfills (
    name        text        PRIMARY KEY,
    last_key    uuid,  -- every row up to this key is done; NULL before the first batch
    rows_seen   bigint      NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
INSERT INTO backfills (name) VALUES ('contracts_last_activity');
