-- The caseload: the last totals of each client, which a list shows as a line, and
-- the ways to the last dose and to the sessions of a day.

-- +goose Up
ALTER TABLE progress ADD COLUMN recent jsonb NOT NULL DEFAULT '{"at":[],"total":[]}'; -- the last 24 totals, in order of time: {"at": microseconds since 1970, "total": points}
CREATE INDEX session_versions_by_day ON session_versions (clinic_id, started_at) WHERE superseded_at IS NULL;
CREATE INDEX session_versions_doses ON session_versions (clinic_id, client_id, started_at) WHERE superseded_at IS NULL AND kind = 'dosing';

-- What is there gets what a rebuild would give it: the rows of merged records are
-- those of the record that stands for the person. Row-level security binds the
-- owner as well, so that it goes clinic by clinic.
-- +goose StatementBegin
DO $$
DECLARE clinic uuid;
BEGIN
  FOR clinic IN SELECT id FROM clinics
  LOOP
    PERFORM set_config('protrack.clinic', clinic::text, true);
    UPDATE progress p SET recent = (
      SELECT jsonb_build_object('at', coalesce(jsonb_agg((extract(epoch FROM s.completed_at) * 1000000)::bigint ORDER BY s.completed_at, s.rank, s.id), '[]'),
        'total', coalesce(jsonb_agg(s.total ORDER BY s.completed_at, s.rank, s.id), '[]'))
      FROM (
        SELECT v.completed_at, v.total, v.id, CASE v.timing WHEN 'baseline' THEN 0 WHEN 'before' THEN 1 WHEN 'after' THEN 2 ELSE 3 END AS rank
        FROM assessment_versions v
        WHERE v.clinic_id = clinic AND v.instrument = p.instrument AND v.superseded_at IS NULL AND NOT v.retracted AND v.total IS NOT NULL
          AND v.client_id IN (SELECT c.id FROM clients c WHERE c.clinic_id = clinic AND COALESCE(c.merged_into, c.id) = p.client_id)
        ORDER BY v.completed_at DESC, rank DESC, v.id DESC LIMIT 24
      ) s
    )
    WHERE p.clinic_id = clinic;
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX session_versions_doses;
DROP INDEX session_versions_by_day;
ALTER TABLE progress DROP COLUMN recent;
