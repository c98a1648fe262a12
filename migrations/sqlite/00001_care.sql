-- The first schema: clinics, keys, and the record of care.
--
-- Every table of a clinic's data leads its keys with clinic_id, so that a row
-- cannot point into another clinic. A thing that may change has an identity
-- (what other rows point to) and versions; exactly one version is current,
-- the one that nothing has superseded. Of a version only superseded_at is ever
-- updated, and once: triggers see to that. Nothing in the program deletes one.

-- Times are microseconds since 1970 in UTC, dates and ids are text.

-- +goose Up
CREATE TABLE clinics (
  id         TEXT NOT NULL PRIMARY KEY,
  slug       TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
  clinic_id  TEXT NOT NULL REFERENCES clinics (id),
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL CHECK (role IN ('admin', 'clinician', 'researcher', 'app')),
  hint       TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE, -- SHA-256 of the key: 256 random bits, so unique across clinics
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  PRIMARY KEY (clinic_id, id)
) STRICT;

CREATE TABLE clients (
  clinic_id TEXT NOT NULL REFERENCES clinics (id),
  id        TEXT NOT NULL,
  PRIMARY KEY (clinic_id, id)
) STRICT;

CREATE TABLE client_versions (
  clinic_id     TEXT NOT NULL,
  id            TEXT NOT NULL,
  version       INTEGER NOT NULL CHECK (version >= 1),
  reference     TEXT NOT NULL, -- sorted by its bytes on both databases
  display_name  TEXT NOT NULL,
  birth_year    INTEGER,
  sex           TEXT NOT NULL,
  time_zone     TEXT NOT NULL,
  recorded_at   INTEGER NOT NULL,
  recorded_by   TEXT NOT NULL,
  superseded_at INTEGER,
  PRIMARY KEY (clinic_id, id, version),
  FOREIGN KEY (clinic_id, id) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE UNIQUE INDEX client_versions_current ON client_versions (clinic_id, id) WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX client_versions_reference ON client_versions (clinic_id, reference) WHERE superseded_at IS NULL;

CREATE TABLE courses (
  clinic_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  id        TEXT NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;

CREATE TABLE course_versions (
  clinic_id        TEXT NOT NULL,
  client_id        TEXT NOT NULL,
  id               TEXT NOT NULL,
  version          INTEGER NOT NULL CHECK (version >= 1),
  indication       TEXT NOT NULL,
  started_on       TEXT NOT NULL,
  ended_on         TEXT,
  planned_sessions INTEGER,
  goals            TEXT NOT NULL,
  recorded_at      INTEGER NOT NULL,
  recorded_by      TEXT NOT NULL,
  superseded_at    INTEGER,
  PRIMARY KEY (clinic_id, id, version),
  FOREIGN KEY (clinic_id, client_id, id) REFERENCES courses (clinic_id, client_id, id)
) STRICT;
CREATE UNIQUE INDEX course_versions_current ON course_versions (clinic_id, id) WHERE superseded_at IS NULL;
CREATE INDEX course_versions_of_client ON course_versions (clinic_id, client_id, started_on, id);

CREATE TABLE sessions (
  clinic_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  id        TEXT NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;

CREATE TABLE session_versions (
  clinic_id      TEXT NOT NULL,
  client_id      TEXT NOT NULL,
  id             TEXT NOT NULL,
  version        INTEGER NOT NULL CHECK (version >= 1),
  course_id      TEXT,
  kind           TEXT NOT NULL CHECK (kind IN ('preparation', 'dosing', 'integration', 'follow_up')),
  number         INTEGER,
  started_at     INTEGER NOT NULL,
  ended_at       INTEGER,
  substance      TEXT, -- null: no medicine was given
  route          TEXT,
  dose_mg        REAL,
  dose_mg_per_kg REAL,
  recorded_at    INTEGER NOT NULL,
  recorded_by    TEXT NOT NULL,
  superseded_at  INTEGER,
  PRIMARY KEY (clinic_id, id, version),
  FOREIGN KEY (clinic_id, client_id, id) REFERENCES sessions (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id, course_id) REFERENCES courses (clinic_id, client_id, id)
) STRICT;
CREATE UNIQUE INDEX session_versions_current ON session_versions (clinic_id, id) WHERE superseded_at IS NULL;
CREATE INDEX session_versions_of_client ON session_versions (clinic_id, client_id, started_at, id);

CREATE TABLE assessments (
  clinic_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  id        TEXT NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;

CREATE TABLE assessment_versions (
  clinic_id          TEXT NOT NULL,
  client_id          TEXT NOT NULL,
  id                 TEXT NOT NULL,
  version            INTEGER NOT NULL CHECK (version >= 1),
  instrument         TEXT NOT NULL,
  instrument_version TEXT NOT NULL,
  timing             TEXT NOT NULL CHECK (timing IN ('baseline', 'before', 'after', 'follow_up')),
  session_id         TEXT,
  completed_at       INTEGER NOT NULL,
  recall_window      TEXT NOT NULL,
  mode               TEXT NOT NULL CHECK (mode IN ('self', 'clinician', 'import')),
  missing_policy     TEXT NOT NULL CHECK (missing_policy IN ('complete', 'prorate')),
  answers            TEXT, -- item id -> answer; null: only a total is known
  declined           TEXT NOT NULL, -- items that were asked and declined
  given_total        REAL, -- a total from elsewhere
  total              REAL, -- null: the rule gives none
  severity           TEXT,
  prorated           INTEGER NOT NULL,
  flags              TEXT NOT NULL,
  score              TEXT NOT NULL, -- the whole score, with its rule
  retracted          INTEGER NOT NULL,
  reason             TEXT NOT NULL,
  recorded_at        INTEGER NOT NULL,
  recorded_by        TEXT NOT NULL,
  superseded_at      INTEGER,
  PRIMARY KEY (clinic_id, id, version),
  CHECK (answers IS NULL OR given_total IS NULL),
  CHECK (timing IN ('baseline', 'follow_up') OR session_id IS NOT NULL),
  FOREIGN KEY (clinic_id, client_id, id) REFERENCES assessments (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id, session_id) REFERENCES sessions (clinic_id, client_id, id)
) STRICT;
CREATE UNIQUE INDEX assessment_versions_current ON assessment_versions (clinic_id, id) WHERE superseded_at IS NULL;
CREATE INDEX assessment_versions_standing ON assessment_versions (clinic_id, client_id, instrument, completed_at, id) WHERE superseded_at IS NULL;
CREATE INDEX assessment_versions_listed ON assessment_versions (clinic_id, client_id, completed_at, id) WHERE superseded_at IS NULL;
CREATE INDEX assessment_versions_of_client ON assessment_versions (clinic_id, client_id, instrument, recorded_at);

CREATE TABLE progress (
  clinic_id       TEXT NOT NULL,
  client_id       TEXT NOT NULL,
  instrument      TEXT NOT NULL,
  points          INTEGER NOT NULL,
  scored          INTEGER NOT NULL,
  baseline_id     TEXT,
  baseline_at     INTEGER,
  baseline_total  REAL,
  latest_id       TEXT,
  latest_at       INTEGER,
  latest_total    REAL,
  latest_severity TEXT,
  best_id         TEXT,
  best_at         INTEGER,
  best_total      REAL,
  total_change    REAL,
  percent_change  REAL,
  reliable        TEXT,
  response        TEXT,
  remission       INTEGER,
  recovery        INTEGER,
  relapsed        INTEGER NOT NULL,
  regained        INTEGER NOT NULL,
  recall_overlap  REAL, -- null: not known
  window_differs  INTEGER NOT NULL,
  status          TEXT NOT NULL,
  rule_set        TEXT NOT NULL,
  last_at         INTEGER NOT NULL,
  last_flags      TEXT NOT NULL,
  PRIMARY KEY (clinic_id, client_id, instrument),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE INDEX progress_by_status ON progress (clinic_id, instrument, status, client_id);

CREATE TABLE instrument_settings (
  clinic_id    TEXT NOT NULL REFERENCES clinics (id),
  instrument   TEXT NOT NULL,
  change_rules TEXT NOT NULL,
  cutpoints    TEXT NOT NULL,
  updated_at   INTEGER NOT NULL,
  PRIMARY KEY (clinic_id, instrument)
) STRICT;

-- Answers are kept as they were given: a version may be superseded once, and
-- nothing else of it may change. The database holds to this, whoever asks.
-- +goose StatementBegin
CREATE TRIGGER client_versions_kept BEFORE UPDATE OF clinic_id, id, version, reference, display_name, birth_year, sex, time_zone, recorded_at, recorded_by ON client_versions
BEGIN SELECT RAISE(ABORT, 'a stored version does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER client_versions_once BEFORE UPDATE OF superseded_at ON client_versions WHEN OLD.superseded_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a version is superseded once'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER course_versions_kept BEFORE UPDATE OF clinic_id, client_id, id, version, indication, started_on, ended_on, planned_sessions, goals, recorded_at, recorded_by ON course_versions
BEGIN SELECT RAISE(ABORT, 'a stored version does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER course_versions_once BEFORE UPDATE OF superseded_at ON course_versions WHEN OLD.superseded_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a version is superseded once'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER session_versions_kept BEFORE UPDATE OF clinic_id, client_id, id, version, course_id, kind, number, started_at, ended_at, substance, route, dose_mg, dose_mg_per_kg, recorded_at, recorded_by ON session_versions
BEGIN SELECT RAISE(ABORT, 'a stored version does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER session_versions_once BEFORE UPDATE OF superseded_at ON session_versions WHEN OLD.superseded_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a version is superseded once'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER assessment_versions_kept BEFORE UPDATE OF clinic_id, client_id, id, version, instrument, instrument_version, timing, session_id, completed_at, recall_window, mode, missing_policy, answers, declined, given_total, total, severity, prorated, flags, score, retracted, reason, recorded_at, recorded_by ON assessment_versions
BEGIN SELECT RAISE(ABORT, 'a stored version does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER assessment_versions_once BEFORE UPDATE OF superseded_at ON assessment_versions WHEN OLD.superseded_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a version is superseded once'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE instrument_settings;
DROP TABLE progress;
DROP TABLE assessment_versions;
DROP TABLE assessments;
DROP TABLE session_versions;
DROP TABLE sessions;
DROP TABLE course_versions;
DROP TABLE courses;
DROP TABLE client_versions;
DROP TABLE clients;
DROP TABLE api_keys;
DROP TABLE clinics;
