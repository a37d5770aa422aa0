-- name: put
INSERT INTO commands (id, contract_id, kind, payload, created_at)
SELECT id, contract_id, kind, payload, created_at
FROM json_to_recordset(%(rows)s::json) AS incoming (
    id uuid, contract_id uuid, kind text, payload jsonb, created_at timestamptz
)
-- in one order: two that put the same ones never wait for each other in a circle
ORDER BY id
ON CONFLICT (id) DO NOTHING
RETURNING contract_id;

-- name: open
SELECT id, contract_id, kind, created_at, payload FROM commands
WHERE acknowledged_at IS NULL ORDER BY created_at, id;

-- name: open_of
SELECT id, contract_id, kind, created_at, payload FROM commands
WHERE contract_id = ANY (%(contract_ids)s::uuid[]) AND acknowledged_at IS NULL ORDER BY created_at, id;

-- name: acknowledge
WITH done AS (
    SELECT id FROM commands
    WHERE contract_id = %(contract_id)s::uuid AND id = ANY (%(ids)s::uuid[]) AND acknowledged_at IS NULL
    ORDER BY id FOR UPDATE
)
UPDATE commands SET acknowledged_at = %(at)s::timestamptz FROM done WHERE commands.id = done.id;
