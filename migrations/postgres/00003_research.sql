-- Research: who is who within a project, saved cohorts, snapshots, and what
-- figures were given away.

-- +goose Up
ALTER TABLE clinics ADD COLUMN smallest_cell integer NOT NULL DEFAULT 5 CHECK (smallest_cell >= 1); -- people; fewer are not shown in figures

-- A project's key makes its pseudonyms: without it nobody can say who is who,
-- and those of two projects have nothing in common.
CREATE TABLE projects (
  clinic_id  uuid NOT NULL REFERENCES clinics (id),
  name       text COLLATE "C" NOT NULL,
  secret     bytea NOT NULL, -- 32 random bytes, or what seals them
  created_at timestamptz NOT NULL,
  created_by uuid NOT NULL,
  PRIMARY KEY (clinic_id, name)
);

CREATE TABLE cohorts (
  clinic_id  uuid NOT NULL REFERENCES clinics (id),
  id         uuid NOT NULL,
  name       text COLLATE "C" NOT NULL,
  filter     text NOT NULL, -- JSON
  created_at timestamptz NOT NULL,
  created_by uuid NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, name)
);

CREATE TABLE snapshots (
  clinic_id  uuid NOT NULL REFERENCES clinics (id),
  id         uuid NOT NULL,
  name       text COLLATE "C" NOT NULL,
  request    text NOT NULL, -- JSON: what was asked for, whole
  as_of      timestamptz NOT NULL,
  manifest   text NOT NULL, -- as it was first handed out
  signature  text NOT NULL,
  seal       text NOT NULL, -- of the whole file
  created_at timestamptz NOT NULL,
  created_by uuid NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, name)
);

-- Whose data a snapshot holds: whoever withdraws can be named, by pseudonym,
-- after their record is gone.
CREATE TABLE snapshot_members (
  clinic_id   uuid NOT NULL,
  snapshot_id uuid NOT NULL,
  client_id   uuid NOT NULL,
  PRIMARY KEY (clinic_id, snapshot_id, client_id),
  FOREIGN KEY (clinic_id, snapshot_id) REFERENCES snapshots (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);

-- What figures were given to those who may not see single people, so that the
-- next answer cannot be subtracted from earlier ones to find out about a few.
CREATE TABLE releases (
  clinic_id uuid NOT NULL REFERENCES clinics (id),
  measure   text COLLATE "C" NOT NULL,
  answers   integer NOT NULL CHECK (answers > 0), -- that are new, each by what was not known before
  ledger    bytea NOT NULL, -- keyed prints of what was counted, and which answers each was in
  at        timestamptz NOT NULL, -- of the latest answer that was new
  PRIMARY KEY (clinic_id, measure)
);

-- When a question was last answered to those readers. Where it cannot be answered
-- now, it is answered as it was known then.
CREATE TABLE answers (
  clinic_id uuid NOT NULL REFERENCES clinics (id),
  question  bytea NOT NULL, -- SHA-256 of all that was asked
  as_of     timestamptz NOT NULL,
  PRIMARY KEY (clinic_id, question)
);

-- What research needs of a client, packed: one row for the client (part ''), one
-- for each instrument. Written with whatever changes the record; it holds
-- nothing that the record does not.
CREATE TABLE outlines (
  clinic_id uuid NOT NULL,
  client_id uuid NOT NULL,
  part      text COLLATE "C" NOT NULL,
  data      bytea NOT NULL,
  PRIMARY KEY (clinic_id, client_id, part),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);
ALTER TABLE outlines ALTER COLUMN data SET STORAGE EXTERNAL;

-- What was recorded since an earlier export, and of whom.
CREATE INDEX client_versions_recorded ON client_versions (clinic_id, recorded_at, id);
CREATE INDEX course_versions_recorded ON course_versions (clinic_id, recorded_at, client_id);
CREATE INDEX session_versions_recorded ON session_versions (clinic_id, recorded_at, client_id);
CREATE INDEX assessment_versions_recorded ON assessment_versions (clinic_id, recorded_at, client_id);

CREATE TRIGGER projects_kept BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION keep_row();
CREATE TRIGGER cohorts_kept BEFORE UPDATE ON cohorts FOR EACH ROW EXECUTE FUNCTION keep_row();
CREATE TRIGGER snapshots_kept BEFORE UPDATE OR DELETE ON snapshots FOR EACH ROW EXECUTE FUNCTION keep_row();
CREATE TRIGGER snapshot_members_kept BEFORE UPDATE OR DELETE ON snapshot_members FOR EACH ROW EXECUTE FUNCTION keep_row();

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['projects', 'cohorts', 'snapshots', 'snapshot_members', 'releases', 'answers', 'outlines']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_clinic ON %I USING (clinic_id = current_setting(''protrack.clinic'')::uuid) WITH CHECK (clinic_id = current_setting(''protrack.clinic'')::uuid)', t);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'protrack_app') THEN
    GRANT SELECT, INSERT ON projects, cohorts, snapshots, snapshot_members, releases, answers TO protrack_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON outlines TO protrack_app;
    GRANT UPDATE ON releases, answers TO protrack_app;
  END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX assessment_versions_recorded;
DROP INDEX session_versions_recorded;
DROP INDEX course_versions_recorded;
DROP INDEX client_versions_recorded;
DROP TABLE outlines;
DROP TABLE answers;
DROP TABLE releases;
DROP TABLE snapshot_members;
DROP TABLE snapshots;
DROP TABLE cohorts;
DROP TABLE projects;
ALTER TABLE clinics DROP COLUMN smallest_cell;
