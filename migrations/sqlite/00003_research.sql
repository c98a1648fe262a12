-- Research: who is who within a project, saved cohorts, snapshots, and what
-- figures were given away. The PostgreSQL file of this name explains them.

-- +goose Up
ALTER TABLE clinics ADD COLUMN smallest_cell INTEGER NOT NULL DEFAULT 5 CHECK (smallest_cell >= 1); -- people; fewer are not shown in figures

CREATE TABLE projects (
  clinic_id  TEXT NOT NULL REFERENCES clinics (id),
  name       TEXT NOT NULL,
  secret     BLOB NOT NULL, -- 32 random bytes, or what seals them
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (clinic_id, name)
) STRICT;

CREATE TABLE cohorts (
  clinic_id  TEXT NOT NULL REFERENCES clinics (id),
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  filter     TEXT NOT NULL, -- JSON
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, name)
) STRICT;

CREATE TABLE snapshots (
  clinic_id  TEXT NOT NULL REFERENCES clinics (id),
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  request    TEXT NOT NULL, -- JSON: what was asked for, whole
  as_of      INTEGER NOT NULL,
  manifest   TEXT NOT NULL, -- as it was first handed out
  signature  TEXT NOT NULL,
  seal       TEXT NOT NULL, -- of the whole file
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, name)
) STRICT;

CREATE TABLE snapshot_members (
  clinic_id   TEXT NOT NULL,
  snapshot_id TEXT NOT NULL,
  client_id   TEXT NOT NULL,
  PRIMARY KEY (clinic_id, snapshot_id, client_id),
  FOREIGN KEY (clinic_id, snapshot_id) REFERENCES snapshots (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;

CREATE TABLE releases (
  clinic_id TEXT NOT NULL REFERENCES clinics (id),
  measure   TEXT NOT NULL,
  answers   INTEGER NOT NULL CHECK (answers > 0), -- that are new, each by what was not known before
  ledger    BLOB NOT NULL, -- keyed prints of what was counted, and which answers each was in
  at        INTEGER NOT NULL, -- of the latest answer that was new
  PRIMARY KEY (clinic_id, measure)
) STRICT;

CREATE TABLE answers (
  clinic_id TEXT NOT NULL REFERENCES clinics (id),
  question  BLOB NOT NULL, -- SHA-256 of all that was asked
  as_of     INTEGER NOT NULL,
  PRIMARY KEY (clinic_id, question)
) STRICT;

CREATE TABLE outlines (
  clinic_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  part      TEXT NOT NULL,
  data      BLOB NOT NULL,
  PRIMARY KEY (clinic_id, client_id, part),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;

-- What was recorded since an earlier export, and of whom.
CREATE INDEX client_versions_recorded ON client_versions (clinic_id, recorded_at, id);
CREATE INDEX course_versions_recorded ON course_versions (clinic_id, recorded_at, client_id);
CREATE INDEX session_versions_recorded ON session_versions (clinic_id, recorded_at, client_id);
CREATE INDEX assessment_versions_recorded ON assessment_versions (clinic_id, recorded_at, client_id);

-- +goose StatementBegin
CREATE TRIGGER projects_kept BEFORE UPDATE ON projects BEGIN SELECT RAISE(ABORT, 'a row of projects does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER cohorts_kept BEFORE UPDATE ON cohorts BEGIN SELECT RAISE(ABORT, 'a row of cohorts does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER snapshots_kept BEFORE UPDATE ON snapshots BEGIN SELECT RAISE(ABORT, 'a row of snapshots does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER snapshots_stay BEFORE DELETE ON snapshots BEGIN SELECT RAISE(ABORT, 'a row of snapshots does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER snapshot_members_kept BEFORE UPDATE ON snapshot_members BEGIN SELECT RAISE(ABORT, 'a row of snapshot_members does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER snapshot_members_stay BEFORE DELETE ON snapshot_members BEGIN SELECT RAISE(ABORT, 'a row of snapshot_members does not change'); END;
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
