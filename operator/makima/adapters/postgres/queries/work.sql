-- Tasks and questions, by the id that the client made.

-- name: task
SELECT id, contract_id, phase, name, state, created_at, template, message, completed_at, incarnation, arguments
FROM tasks WHERE id = %(id)s::uuid;

-- name: tasks
SELECT id, contract_id, phase, name, state, created_at, template, message, completed_at, incarnation, arguments
FROM tasks WHERE contract_id = %(contract_id)s::uuid ORDER BY created_at, id;

-- name: spawn
INSERT INTO tasks (
    id, contract_id, phase, name, state, created_at, template, message, completed_at, incarnation, arguments
) VALUES (
    %(id)s::uuid, %(contract_id)s::uuid, %(phase)s::text, %(name)s::text, %(state)s::text, %(created_at)s::timestamptz,
    %(template)s::text, %(message)s::text, %(completed_at)s::timestamptz, %(incarnation)s::bigint,
    %(arguments)s::text[]
)
-- The recorder of contracts may have been faster, and does not know who spawned it, nor with what.
ON CONFLICT (id) DO UPDATE SET incarnation = EXCLUDED.incarnation, arguments = EXCLUDED.arguments
WHERE tasks.incarnation IS NULL AND tasks.contract_id = EXCLUDED.contract_id
RETURNING id, xmax = 0 AS made;

-- name: end_task
UPDATE tasks SET
    state = %(state)s::text,
    message = %(message)s::text,
    completed_at = %(completed_at)s::timestamptz
WHERE id = %(id)s::uuid AND contract_id = %(contract_id)s::uuid AND state NOT IN ('completed', 'failed')
RETURNING id;

-- name: question
SELECT id, contract_id, incarnation, phase, text, options, asked_at, answer, answered_by, answered_at
FROM questions WHERE id = %(id)s::uuid;

-- name: questions
SELECT id, contract_id, incarnation, phase, text, options, asked_at, answer, answered_by, answered_at
FROM questions WHERE contract_id = %(contract_id)s::uuid ORDER BY asked_at, id;

-- name: open_questions
SELECT id, contract_id, incarnation, phase, text, options, asked_at, answer, answered_by, answered_at
FROM questions WHERE contract_id = %(contract_id)s::uuid AND answer IS NULL ORDER BY asked_at, id;

-- name: answered_questions
SELECT id FROM questions WHERE contract_id = %(contract_id)s::uuid AND answer IS NOT NULL;

-- name: ask
INSERT INTO questions (
    id, contract_id, incarnation, phase, text, options, asked_at, answer, answered_by, answered_at
) VALUES (
    %(id)s::uuid, %(contract_id)s::uuid, %(incarnation)s::bigint, %(phase)s::text, %(text)s::text, %(options)s::text[],
    %(asked_at)s::timestamptz, %(answer)s::text, %(answered_by)s::text, %(answered_at)s::timestamptz
)
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: answer
-- The question too, should Postgres have lost it: the contract's status has it. In the order of ids, so that two that
-- store the same answers never wait for each other in a circle.
INSERT INTO questions (
    id, contract_id, incarnation, phase, text, options, asked_at, answer, answered_by, answered_at
)
SELECT id, contract_id, incarnation, phase, text, options, asked_at, answer, answered_by, answered_at
FROM json_to_recordset(%(rows)s::json) AS incoming (
    id uuid, contract_id uuid, incarnation bigint, phase text, text text, options text[], asked_at timestamptz,
    answer text, answered_by text, answered_at timestamptz
)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    answer = EXCLUDED.answer,
    answered_by = EXCLUDED.answered_by,
    answered_at = EXCLUDED.answered_at
WHERE questions.answer IS NULL AND questions.contract_id = EXCLUDED.contract_id
RETURNING id, contract_id, phase, text, options, asked_at, answer, answered_at, xmax = 0 AS made;

-- name: carried
-- What the contract is called: by whoever carries it, else by the projection.
SELECT namespace, name AS contract_name FROM supervisors WHERE contract_id = %(contract_id)s::uuid
UNION ALL
SELECT namespace, name FROM contracts WHERE uid = %(contract_id)s::uuid
LIMIT 1;
