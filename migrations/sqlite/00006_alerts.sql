-- What somebody has to look at, and what became of it.

-- +goose Up
CREATE TABLE alerts (
  clinic_id     TEXT NOT NULL,
  id            TEXT NOT NULL,
  client_id     TEXT NOT NULL,
  assessment_id TEXT NOT NULL,
  rule          TEXT NOT NULL,
  level         TEXT NOT NULL CHECK (level IN ('low', 'moderate', 'high', 'critical')),
  status        TEXT NOT NULL CHECK (status IN ('open', 'acknowledged', 'actioned', 'closed')),
  raised_at     INTEGER NOT NULL,
  answered_at   INTEGER NOT NULL,
  received_at   INTEGER NOT NULL,
  repeat_of     TEXT,
  tier          INTEGER NOT NULL, -- how often it was escalated
  next_at       INTEGER, -- when it is escalated; null: never
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, assessment_id, rule),
  FOREIGN KEY (clinic_id, client_id, assessment_id) REFERENCES assessments (clinic_id, client_id, id)
) STRICT;
CREATE INDEX alerts_listed ON alerts (clinic_id, status, raised_at, id);
CREATE INDEX alerts_of_client ON alerts (clinic_id, client_id, raised_at, id);
CREATE INDEX alerts_due ON alerts (clinic_id, next_at) WHERE next_at IS NOT NULL;

CREATE TABLE alert_history (
  clinic_id   TEXT NOT NULL,
  alert_id    TEXT NOT NULL,
  n           INTEGER NOT NULL,
  client_id   TEXT NOT NULL,
  at          INTEGER NOT NULL,
  by          TEXT NOT NULL,
  deed        TEXT NOT NULL,
  level       TEXT NOT NULL,
  disposition TEXT NOT NULL,
  note        TEXT NOT NULL, -- as it is, or what seals it
  PRIMARY KEY (clinic_id, alert_id, n),
  FOREIGN KEY (clinic_id, alert_id) REFERENCES alerts (clinic_id, id)
) STRICT;

-- +goose Down
DROP TABLE alert_history;
DROP TABLE alerts;
