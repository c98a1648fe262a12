-- The first schema: clinics, keys, and the record of care.
--
-- Every table of a clinic's data leads its keys with clinic_id, so that a row
-- cannot point into another clinic. A thing that may change has an identity
-- (what other rows point to) and versions; exactly one version is current,
-- the one that nothing has superseded. Of a version only superseded_at is ever
-- updated, and once: triggers see to that. Nothing in the program deletes one.

-- +goose Up
CREATE TABLE clinics (
  id         uuid NOT NULL PRIMARY KEY,
  slug       text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL
);

CREATE TABLE api_keys (
  clinic_id  uuid NOT NULL REFERENCES clinics (id),
  id         uuid NOT NULL,
  name       text NOT NULL,
  role       text NOT NULL CHECK (role IN ('admin', 'clinician', 'researcher', 'app')),
  hint       text NOT NULL,
  hash       bytea NOT NULL UNIQUE, -- SHA-256 of the key: 256 random bits, so unique across clinics
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (clinic_id, id)
);

CREATE TABLE clients (
  clinic_id uuid NOT NULL REFERENCES clinics (id),
  id        uuid NOT NULL,
  PRIMARY KEY (clinic_id, id)
);

CREATE TABLE client_versions (
  clinic_id     uuid NOT NULL,
  id            uuid NOT NULL,
  version       integer NOT NULL CHECK (version >= 1),
  reference     text COLLATE "C" NOT NULL, -- sorted by its bytes on both databases
  display_name  text NOT NULL,
  birth_year    integer,
  sex           text NOT NULL,
  time_zone     text NOT NULL,
  recorded_at   timestamptz NOT NULL,
  recorded_by   uuid NOT NULL,
  superseded_at timestamptz,
  PRIMARY KEY (clinic_id, id, version),
  FOREIGN KEY (clinic_id, id) REFERENCES clients (clinic_id, id)
);
CREATE UNIQUE INDEX client_versions_current ON client_versions (clinic_id, id) WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX client_versions_reference ON client_versions (clinic_id, reference) WHERE superseded_at IS NULL;

CREATE TABLE courses (
  clinic_id uuid NOT NULL,
  client_id uuid NOT NULL,
  id        uuid NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);

CREATE TABLE course_versions (
  clinic_id        uuid NOT NULL,
  client_id        uuid NOT NULL,
  id               uuid NOT NULL,
  version          integer NOT NULL CHECK (version >= 1),
  indication       text NOT NULL,
  started_on       date NOT NULL,
  ended_on         date,
  planned_sessions integer,
  goals            text NOT NULL,
  recorded_at      timestamptz NOT NULL,
  recorded_by      uuid NOT NULL,
  superseded_at    timestamptz,
  PRIMARY KEY (clinic_id, id, version),
  FOREIGN KEY (clinic_id, client_id, id) REFERENCES courses (clinic_id, client_id, id)
);
CREATE UNIQUE INDEX course_versions_current ON course_versions (clinic_id, id) WHERE superseded_at IS NULL;
CREATE INDEX course_versions_of_client ON course_versions (clinic_id, client_id, started_on, id);

CREATE TABLE sessions (
  clinic_id uuid NOT NULL,
  client_id uuid NOT NULL,
  id        uuid NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);

CREATE TABLE session_versions (
  clinic_id      uuid NOT NULL,
  client_id      uuid NOT NULL,
  id             uuid NOT NULL,
  version        integer NOT NULL CHECK (version >= 1),
  course_id      uuid,
  kind           text NOT NULL CHECK (kind IN ('preparation', 'dosing', 'integration', 'follow_up')),
  number         integer,
  started_at     timestamptz NOT NULL,
  ended_at       timestamptz,
  substance      text, -- null: no medicine was given
  route          text,
  dose_mg        double precision,
  dose_mg_per_kg double precision,
  recorded_at    timestamptz NOT NULL,
  recorded_by    uuid NOT NULL,
  superseded_at  timestamptz,
  PRIMARY KEY (clinic_id, id, version),
  FOREIGN KEY (clinic_id, client_id, id) REFERENCES sessions (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id, course_id) REFERENCES courses (clinic_id, client_id, id)
);
CREATE UNIQUE INDEX session_versions_current ON session_versions (clinic_id, id) WHERE superseded_at IS NULL;
CREATE INDEX session_versions_of_client ON session_versions (clinic_id, client_id, started_at, id);

CREATE TABLE assessments (
  clinic_id uuid NOT NULL,
  client_id uuid NOT NULL,
  id        uuid NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);

CREATE TABLE assessment_versions (
  clinic_id          uuid NOT NULL,
  client_id          uuid NOT NULL,
  id                 uuid NOT NULL,
  version            integer NOT NULL CHECK (version >= 1),
  instrument         text COLLATE "C" NOT NULL,
  instrument_version text NOT NULL,
  timing             text NOT NULL CHECK (timing IN ('baseline', 'before', 'after', 'follow_up')),
  session_id         uuid,
  completed_at       timestamptz NOT NULL,
  recall_window      text NOT NULL,
  mode               text NOT NULL CHECK (mode IN ('self', 'clinician', 'import')),
  missing_policy     text NOT NULL CHECK (missing_policy IN ('complete', 'prorate')),
  answers            jsonb, -- item id -> answer; null: only a total is known
  declined           jsonb NOT NULL, -- items that were asked and declined
  given_total        double precision, -- a total from elsewhere
  total              double precision, -- null: the rule gives none
  severity           text,
  prorated           boolean NOT NULL,
  flags              jsonb NOT NULL,
  score              jsonb NOT NULL, -- the whole score, with its rule
  retracted          boolean NOT NULL,
  reason             text NOT NULL,
  recorded_at        timestamptz NOT NULL,
  recorded_by        uuid NOT NULL,
  superseded_at      timestamptz,
  PRIMARY KEY (clinic_id, id, version),
  CHECK (answers IS NULL OR given_total IS NULL),
  CHECK (timing IN ('baseline', 'follow_up') OR session_id IS NOT NULL),
  FOREIGN KEY (clinic_id, client_id, id) REFERENCES assessments (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id, session_id) REFERENCES sessions (clinic_id, client_id, id)
);
CREATE UNIQUE INDEX assessment_versions_current ON assessment_versions (clinic_id, id) WHERE superseded_at IS NULL;
CREATE INDEX assessment_versions_standing ON assessment_versions (clinic_id, client_id, instrument, completed_at, id) WHERE superseded_at IS NULL;
CREATE INDEX assessment_versions_listed ON assessment_versions (clinic_id, client_id, completed_at, id) WHERE superseded_at IS NULL;
CREATE INDEX assessment_versions_of_client ON assessment_versions (clinic_id, client_id, instrument, recorded_at);

CREATE TABLE progress (
  clinic_id       uuid NOT NULL,
  client_id       uuid NOT NULL,
  instrument      text COLLATE "C" NOT NULL,
  points          integer NOT NULL,
  scored          integer NOT NULL,
  baseline_id     uuid,
  baseline_at     timestamptz,
  baseline_total  double precision,
  latest_id       uuid,
  latest_at       timestamptz,
  latest_total    double precision,
  latest_severity text,
  best_id         uuid,
  best_at         timestamptz,
  best_total      double precision,
  total_change    double precision,
  percent_change  double precision,
  reliable        text,
  response        text,
  remission       boolean,
  recovery        boolean,
  relapsed        boolean NOT NULL,
  regained        boolean NOT NULL,
  recall_overlap  double precision, -- null: not known
  window_differs  boolean NOT NULL,
  status          text NOT NULL,
  rule_set        text NOT NULL,
  last_at         timestamptz NOT NULL,
  last_flags      jsonb NOT NULL,
  PRIMARY KEY (clinic_id, client_id, instrument),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);
CREATE INDEX progress_by_status ON progress (clinic_id, instrument, status, client_id);

CREATE TABLE instrument_settings (
  clinic_id    uuid NOT NULL REFERENCES clinics (id),
  instrument   text NOT NULL,
  change_rules text NOT NULL,
  cutpoints    jsonb NOT NULL,
  updated_at   timestamptz NOT NULL,
  PRIMARY KEY (clinic_id, instrument)
);

-- Answers are kept as they were given: a version may be superseded once, and
-- nothing else of it may change. The database holds to this, whoever asks.
-- +goose StatementBegin
CREATE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.superseded_at IS NOT NULL OR to_jsonb(NEW) - 'superseded_at' <> to_jsonb(OLD) - 'superseded_at' THEN
    RAISE EXCEPTION 'a stored version does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER client_versions_kept BEFORE UPDATE ON client_versions FOR EACH ROW EXECUTE FUNCTION keep_version();
CREATE TRIGGER course_versions_kept BEFORE UPDATE ON course_versions FOR EACH ROW EXECUTE FUNCTION keep_version();
CREATE TRIGGER session_versions_kept BEFORE UPDATE ON session_versions FOR EACH ROW EXECUTE FUNCTION keep_version();
CREATE TRIGGER assessment_versions_kept BEFORE UPDATE ON assessment_versions FOR EACH ROW EXECUTE FUNCTION keep_version();

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
DROP FUNCTION keep_version();
