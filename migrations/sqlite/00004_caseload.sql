-- The caseload: the last totals of each client, which a list shows as a line, and
-- the ways to the last dose and to the sessions of a day.

-- +goose Up
ALTER TABLE progress ADD COLUMN recent TEXT NOT NULL DEFAULT '{"at":[],"total":[]}'; -- the last 24 totals, in order of time: {"at": microseconds since 1970, "total": points}
CREATE INDEX session_versions_by_day ON session_versions (clinic_id, started_at) WHERE superseded_at IS NULL;
CREATE INDEX session_versions_doses ON session_versions (clinic_id, client_id, started_at) WHERE superseded_at IS NULL AND kind = 'dosing';

-- What is there gets what a rebuild would give it: the rows of merged records are
-- those of the record that stands for the person.
UPDATE progress SET recent = (
  SELECT json_object('at', json_group_array(s.completed_at ORDER BY s.completed_at, s.rank, s.id),
    'total', json_group_array(json(printf('%!.17g', s.total)) ORDER BY s.completed_at, s.rank, s.id))
  FROM (
    SELECT v.completed_at, v.total, v.id, CASE v.timing WHEN 'baseline' THEN 0 WHEN 'before' THEN 1 WHEN 'after' THEN 2 ELSE 3 END AS rank
    FROM assessment_versions v
    WHERE v.clinic_id = progress.clinic_id AND v.instrument = progress.instrument AND v.superseded_at IS NULL AND v.retracted = 0 AND v.total IS NOT NULL
      AND v.client_id IN (SELECT c.id FROM clients c WHERE c.clinic_id = progress.clinic_id AND COALESCE(c.merged_into, c.id) = progress.client_id)
    ORDER BY v.completed_at DESC, rank DESC, v.id DESC LIMIT 24
  ) s
);

-- +goose Down
DROP INDEX session_versions_doses;
DROP INDEX session_versions_by_day;
ALTER TABLE progress DROP COLUMN recent;
