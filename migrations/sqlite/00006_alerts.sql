-- What somebody has to look at, and what became of it.

-- +goose Up
CREATE TABLE alerts (
  clinic_id     TEXT NOT NULL,
  id            TEXT NOT NULL,
  client_id     TEXT NOT NULL,
  assessment_id TEXT, -- what was answered
  session_id    TEXT, -- or after what a form is missing
  subject_id    TEXT NOT NULL, -- the one of the two that there is
  rule          TEXT NOT NULL,
  level         TEXT NOT NULL CHECK (level IN ('low', 'moderate', 'high', 'critical')),
  status        TEXT NOT NULL CHECK (status IN ('open', 'acknowledged', 'actioned', 'closed')),
  raised_at     INTEGER NOT NULL,
  opened_at     INTEGER NOT NULL,
  answered_at   INTEGER NOT NULL,
  received_at   INTEGER NOT NULL,
  withdrawn     INTEGER NOT NULL,
  repeat_of     TEXT,
  tier          INTEGER NOT NULL, -- of the chain, that was told last, 0 for none
  next_at       INTEGER, -- when the next one is told, null for never
  steps         INTEGER NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, subject_id, rule),
  CHECK ((assessment_id IS NULL) <> (session_id IS NULL)),
  CHECK (status = 'open' OR next_at IS NULL),
  FOREIGN KEY (clinic_id, client_id, assessment_id) REFERENCES assessments (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id, session_id) REFERENCES sessions (clinic_id, client_id, id)
) STRICT;
CREATE INDEX alerts_listed ON alerts (clinic_id, raised_at DESC, id DESC);
CREATE INDEX alerts_by_status ON alerts (clinic_id, status, raised_at DESC, id DESC);
CREATE INDEX alerts_of_client ON alerts (clinic_id, client_id, raised_at DESC, id DESC);
CREATE INDEX alerts_due ON alerts (clinic_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alerts_repeated ON alerts (clinic_id, repeat_of) WHERE repeat_of IS NOT NULL;

CREATE TABLE alert_steps (
  clinic_id   TEXT NOT NULL,
  alert_id    TEXT NOT NULL,
  n           INTEGER NOT NULL,
  client_id   TEXT NOT NULL,
  at          INTEGER NOT NULL,
  by_actor    TEXT, -- null: the program by itself
  deed        TEXT NOT NULL,
  level       TEXT NOT NULL,
  status      TEXT NOT NULL,
  tier        INTEGER NOT NULL,
  disposition TEXT NOT NULL,
  note        TEXT NOT NULL,
  PRIMARY KEY (clinic_id, alert_id, n),
  FOREIGN KEY (clinic_id, alert_id) REFERENCES alerts (clinic_id, id)
) STRICT;
CREATE INDEX alert_steps_of_client ON alert_steps (clinic_id, client_id);

CREATE TABLE alert_settings (
  clinic_id TEXT NOT NULL PRIMARY KEY,
  chain     TEXT NOT NULL, -- JSON
  off       TEXT NOT NULL  -- JSON: codes of rules
) STRICT;

-- +goose Down
DROP TABLE alert_settings;
DROP TABLE alert_steps;
DROP TABLE alerts;
