-- Who carries each contract now, and how it is. The row outlives the Supervisor; incarnations never start again.
CREATE TABLE supervisors (
    contract_id       uuid        PRIMARY KEY,
    task_id           uuid        NOT NULL,  -- UID of the Supervisor; the plan's supervisor task id
    namespace         text        NOT NULL,
    name              text        NOT NULL,
    incarnation       bigint      NOT NULL DEFAULT 0,  -- the current life; allocated here and nowhere else
    registration_id   uuid,                            -- of the call that registered it; NULL until it registered
    registered_at     timestamptz,
    pod_uid           uuid,                            -- only this pod's token may act; NULL: an external supervisor
    host              text,
    state             varchar(50) NOT NULL DEFAULT 'initializing',
    phase             varchar(63),
    current_activity  text        NOT NULL DEFAULT '',
    progress          smallint    NOT NULL DEFAULT 0,
    pending_task_ids  uuid[]      NOT NULL DEFAULT '{}',
    error_message     text,
    sequence          bigint      NOT NULL DEFAULT 0,  -- of the newest heartbeat of this incarnation shown here
    last_heartbeat_at timestamptz,                     -- some seconds behind supervisor_heartbeats at most
    restoration       varchar(50),                     -- outcome of the last restoration
    restoration_text  text,
    restored_at       timestamptz,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX idx_supervisors_task ON supervisors (task_id);
CREATE INDEX idx_supervisors_updated ON supervisors (updated_at);

-- Every heartbeat, for 24 hours. The plan's CHECK on the age cannot expire rows; whole hours are dropped instead. Its id
-- and second index would halve the rate, and nobody would ask for either: an hour is found by its partition.
CREATE TABLE supervisor_heartbeats (
    supervisor_task_id uuid        NOT NULL,
    contract_id        uuid        NOT NULL,
    incarnation        bigint      NOT NULL,
    sequence           bigint      NOT NULL,
    state              varchar(50) NOT NULL,
    phase              varchar(63) NOT NULL,
    current_activity   text,
    progress           smallint    NOT NULL DEFAULT 0,
    pending_task_ids   uuid[]      NOT NULL DEFAULT '{}',
    timestamp          timestamptz NOT NULL DEFAULT now(),  -- the server's clock
    sent_at            timestamptz                          -- the supervisor's
) PARTITION BY RANGE (timestamp);
CREATE INDEX idx_heartbeats_supervisor ON supervisor_heartbeats (contract_id, timestamp DESC);

-- What a supervisor needs to go on where it was. `payload` is the text that it saved, `checksum` its SHA-256; the other
-- columns repeat parts of it for whoever looks.
CREATE TABLE supervisor_states (
    contract_id         uuid        PRIMARY KEY,
    task_id             uuid        NOT NULL,
    incarnation         bigint      NOT NULL,  -- of who saved it
    revision            bigint      NOT NULL,
    payload             text        NOT NULL,
    checksum            text        NOT NULL,
    state               varchar(50) NOT NULL DEFAULT 'initializing',
    phase               varchar(63),
    current_activity    text,
    progress            integer     DEFAULT 0,
    error_message       text,
    spawned_task_ids    uuid[]      DEFAULT ARRAY[]::uuid[],
    waiting_on_task_ids uuid[]      DEFAULT ARRAY[]::uuid[],
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);

-- The conversation. Appended to, never changed.
CREATE TABLE supervisor_messages (
    contract_id uuid        NOT NULL,
    sequence    bigint      NOT NULL CHECK (sequence >= 1),
    id          uuid        NOT NULL,  -- made by the client: appending again is recognised
    incarnation bigint      NOT NULL,
    role        text        NOT NULL,
    content     text        NOT NULL,
    sent_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (contract_id, sequence)
);
CREATE UNIQUE INDEX idx_messages_id ON supervisor_messages (contract_id, id);

CREATE TABLE supervisor_checkpoints (
    contract_id      uuid        NOT NULL,
    number           bigint      NOT NULL CHECK (number >= 1),
    incarnation      bigint      NOT NULL,
    message_sequence bigint      NOT NULL,  -- the conversation up to and with this message belongs to it
    payload          text        NOT NULL,
    checksum         text        NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (contract_id, number)
);

CREATE TABLE questions (
    id          uuid        PRIMARY KEY,  -- made by the client
    contract_id uuid        NOT NULL,
    incarnation bigint      NOT NULL,  -- of who asked
    phase       text        NOT NULL,
    text        text        NOT NULL,
    options     text[]      NOT NULL DEFAULT '{}',
    asked_at    timestamptz NOT NULL DEFAULT now(),
    answer      text,
    answered_by text,
    answered_at timestamptz
);
CREATE INDEX idx_questions_contract ON questions (contract_id, asked_at);

-- The incarnation that spawned a task; NULL for tasks from before supervisors could.
ALTER TABLE tasks ADD COLUMN incarnation bigint;

-- What the pod of a task gets behind the arguments of its template.
ALTER TABLE tasks ADD COLUMN arguments text[] NOT NULL DEFAULT '{}';

CREATE TABLE commands (
    id              uuid        PRIMARY KEY,  -- derived from what caused it: causing it again adds nothing
    contract_id     uuid        NOT NULL,
    kind            text        NOT NULL,
    payload         jsonb       NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    acknowledged_at timestamptz
);
CREATE INDEX idx_commands_open ON commands (contract_id, created_at) WHERE acknowledged_at IS NULL;

-- When the ingest could take heartbeats: spans without a gap, one row each (ADR 0006, "Time").
CREATE TABLE ingest_coverage (
    instance   text        NOT NULL,
    started_at timestamptz NOT NULL,
    until_at   timestamptz NOT NULL,
    PRIMARY KEY (instance, started_at)
);
CREATE INDEX idx_coverage_until ON ingest_coverage (until_at);
