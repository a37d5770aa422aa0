CREATE TABLE contracts (
    uid         uuid        PRIMARY KEY,  -- of the Contract; the plan's contract id
    namespace   text        NOT NULL,
    name        text        NOT NULL,
    type        text        NOT NULL,
    description text,
    status      text        NOT NULL DEFAULT 'created',  -- state in snake_case
    phase       text        NOT NULL,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- No foreign keys to contracts: tasks and events may be stored before the contract's row, and outlive the contract.
CREATE TABLE tasks (
    id           uuid        PRIMARY KEY,  -- made by the client
    contract_id  uuid        NOT NULL,
    phase        text        NOT NULL,
    name         text        NOT NULL,
    state        text        NOT NULL,
    template     text,
    message      text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz
);
CREATE INDEX idx_tasks_contract ON tasks (contract_id, created_at);

CREATE TABLE events (
    seq           bigint      PRIMARY KEY,  -- in commit order, from event_counter
    id            uuid        NOT NULL,
    contract_id   uuid        NOT NULL,
    namespace     text        NOT NULL,
    contract_name text        NOT NULL,
    version       bigint,
    type          text        NOT NULL,
    at            timestamptz NOT NULL,
    actor         text,
    payload       jsonb       NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX idx_events_id ON events (id);
CREATE INDEX idx_events_contract_seq ON events (contract_id, seq);
CREATE INDEX idx_events_contract_version ON events (contract_id, version) WHERE version IS NOT NULL;

-- A sequence would hand out numbers that commit in another order, and a reader after the highest would miss the
-- late ones. Whoever stores events holds this row until it commits.
CREATE TABLE event_counter (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last     bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO event_counter (last) VALUES (0);
