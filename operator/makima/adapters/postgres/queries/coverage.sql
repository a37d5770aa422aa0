-- name: extend
INSERT INTO ingest_coverage (instance, started_at, until_at)
VALUES (%(instance)s::text, %(started_at)s::timestamptz, %(until_at)s::timestamptz)
ON CONFLICT (instance, started_at) DO UPDATE SET until_at = GREATEST(ingest_coverage.until_at, EXCLUDED.until_at)
RETURNING xmax = 0 AS began;

-- name: forget
DELETE FROM ingest_coverage WHERE until_at < %(before)s::timestamptz;

-- name: spans
SELECT started_at, until_at FROM ingest_coverage WHERE until_at > %(since)s::timestamptz
ORDER BY started_at, until_at;
