-- What somebody has to look at, and what became of it.

-- +goose Up
CREATE TABLE alerts (
  clinic_id     uuid NOT NULL,
  id            uuid NOT NULL,
  client_id     uuid NOT NULL,
  assessment_id uuid NOT NULL,
  rule          text COLLATE "C" NOT NULL,
  level         text COLLATE "C" NOT NULL CHECK (level IN ('low', 'moderate', 'high', 'critical')),
  status        text COLLATE "C" NOT NULL CHECK (status IN ('open', 'acknowledged', 'actioned', 'closed')),
  raised_at     timestamptz NOT NULL,
  answered_at   timestamptz NOT NULL,
  received_at   timestamptz NOT NULL,
  repeat_of     uuid,
  tier          integer NOT NULL, -- how often it was escalated
  next_at       timestamptz, -- when it is escalated; null: never
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, assessment_id, rule),
  FOREIGN KEY (clinic_id, client_id, assessment_id) REFERENCES assessments (clinic_id, client_id, id)
);
CREATE INDEX alerts_listed ON alerts (clinic_id, status, raised_at, id);
CREATE INDEX alerts_of_client ON alerts (clinic_id, client_id, raised_at, id);
CREATE INDEX alerts_due ON alerts (clinic_id, next_at) WHERE next_at IS NOT NULL;

CREATE TABLE alert_history (
  clinic_id   uuid NOT NULL,
  alert_id    uuid NOT NULL,
  n           integer NOT NULL,
  client_id   uuid NOT NULL,
  at          timestamptz NOT NULL,
  by          uuid NOT NULL,
  deed        text COLLATE "C" NOT NULL,
  level       text COLLATE "C" NOT NULL,
  disposition text COLLATE "C" NOT NULL,
  note        text COLLATE "C" NOT NULL, -- as it is, or what seals it
  PRIMARY KEY (clinic_id, alert_id, n),
  FOREIGN KEY (clinic_id, alert_id) REFERENCES alerts (clinic_id, id)
);

-- +goose Down
DROP TABLE alert_history;
DROP TABLE alerts;
