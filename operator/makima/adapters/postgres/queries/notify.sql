-- name: notify
-- Sent with the commit; the same text twice in one transaction is sent once.
SELECT pg_notify(%(channel)s::text, payload) FROM unnest(%(payloads)s::text[]) AS payload;
