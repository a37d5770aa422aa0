-- What the dashboard and the lists need of a contract, beside what the plan names.
ALTER TABLE contracts
    ADD COLUMN suspended           boolean NOT NULL DEFAULT false,
    ADD COLUMN running_tasks       integer NOT NULL DEFAULT 0,
    ADD COLUMN pending_tasks       integer NOT NULL DEFAULT 0,
    ADD COLUMN worktrees           integer NOT NULL DEFAULT 0,
    ADD COLUMN idle_since          timestamptz,  -- last activity, later by a pause after it; NULL: can't become stale
    ADD COLUMN stale_after_seconds integer,      -- of its spec; NULL: the configured threshold
    ADD COLUMN stale_at            timestamptz;  -- idle_since + stale_after_seconds, where there are both

-- How many contracts there are, per namespace, status and phase (ADR 0012). The truth is the sum of both tables: whoever
-- changes contracts only appends, so writers never wait for each other over a count; changes are folded in now and then.
CREATE TABLE contract_counts (
    namespace     text   NOT NULL,  -- '': all of them together
    status        text   NOT NULL,
    phase         text   NOT NULL,
    contracts     bigint NOT NULL,
    running_tasks bigint NOT NULL,
    pending_tasks bigint NOT NULL,
    worktrees     bigint NOT NULL,
    PRIMARY KEY (namespace, status, phase)
) WITH (fillfactor = 50);
CREATE TABLE contract_count_changes (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace     text   NOT NULL,
    status        text   NOT NULL,
    phase         text   NOT NULL,
    contracts     bigint NOT NULL,
    running_tasks bigint NOT NULL,
    pending_tasks bigint NOT NULL,
    worktrees     bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE FUNCTION count_contracts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO contract_count_changes
            (namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees)
        SELECT namespace, status, phase, count(*), sum(running_tasks), sum(pending_tasks), sum(worktrees)
        FROM after_it WHERE deleted_at IS NULL GROUP BY namespace, status, phase;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO contract_count_changes
            (namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees)
        SELECT namespace, status, phase, sum(sign), sum(sign * running_tasks), sum(sign * pending_tasks),
            sum(sign * worktrees)
        FROM (
            SELECT 1 AS sign, namespace, status, phase, running_tasks, pending_tasks, worktrees
            FROM after_it WHERE deleted_at IS NULL
            UNION ALL
            SELECT -1, namespace, status, phase, running_tasks, pending_tasks, worktrees
            FROM before_it WHERE deleted_at IS NULL
        ) AS signed
        GROUP BY namespace, status, phase
        HAVING sum(sign) <> 0 OR sum(sign * running_tasks) <> 0 OR sum(sign * pending_tasks) <> 0
            OR sum(sign * worktrees) <> 0;
    ELSE
        INSERT INTO contract_count_changes
            (namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees)
        SELECT namespace, status, phase, -count(*), -sum(running_tasks), -sum(pending_tasks), -sum(worktrees)
        FROM before_it WHERE deleted_at IS NULL GROUP BY namespace, status, phase;
    END IF;
    RETURN NULL;
END $$;

-- Counts anew. Every writer that changed contracts has either committed, with its change, before the lock is given, or is
-- neither seen by the count nor has appended yet: it waits for the lock, and its change comes on top.
CREATE FUNCTION recount_contracts() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE contract_count_changes IN EXCLUSIVE MODE;
    DELETE FROM contract_count_changes;
    DELETE FROM contract_counts;
    INSERT INTO contract_counts
    SELECT COALESCE(namespace, ''), status, phase, count(*), sum(running_tasks), sum(pending_tasks), sum(worktrees)
    FROM contracts WHERE deleted_at IS NULL GROUP BY GROUPING SETS ((namespace, status, phase), (status, phase));
END $$;

CREATE TRIGGER count_added AFTER INSERT ON contracts REFERENCING NEW TABLE AS after_it
    FOR EACH STATEMENT EXECUTE FUNCTION count_contracts();
CREATE TRIGGER count_changed AFTER UPDATE ON contracts REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it
    FOR EACH STATEMENT EXECUTE FUNCTION count_contracts();
CREATE TRIGGER count_removed AFTER DELETE ON contracts REFERENCING OLD TABLE AS before_it
    FOR EACH STATEMENT EXECUTE FUNCTION count_contracts();

-- Until a recorder was last known to have nothing that waits: how far the projection may be behind.
CREATE TABLE projection_marks (
    recorder     text        PRIMARY KEY,
    caught_up_at timestamptz NOT NULL
);

-- Bulk operations of people: who, what, when, and what became of it.
CREATE TABLE batch_operations (
    id             uuid        PRIMARY KEY,
    operation      text        NOT NULL,
    requested_by   text        NOT NULL,
    requester_uid  text        NOT NULL DEFAULT '',
    namespaces     text[],  -- where; NULL: everywhere
    request        jsonb       NOT NULL,
    dry_run        boolean     NOT NULL,
    started_at     timestamptz NOT NULL,
    finished_at    timestamptz,  -- NULL: under way, or whoever ran it ended before it did
    result         text        NOT NULL DEFAULT 'running',
    affected_count integer     NOT NULL DEFAULT 0,
    affected_ids   uuid[]      NOT NULL DEFAULT '{}',
    errors         jsonb       NOT NULL DEFAULT '[]'
);
CREATE INDEX idx_batch_operations_started ON batch_operations (started_at);

-- The triggers' lock keeps writers of contracts out until this is committed: an empty table stays empty until then.
INSERT INTO backfills (name, finished_at)
SELECT name, CASE WHEN NOT EXISTS (SELECT FROM contracts) THEN now() END
FROM unnest(ARRAY['contracts_dashboard', 'contract_counts']) AS name;
