-- What somebody has to look at, and what became of it.

-- +goose Up
CREATE TABLE alerts (
  clinic_id     uuid NOT NULL,
  id            uuid NOT NULL,
  client_id     uuid NOT NULL,
  assessment_id uuid, -- what was answered
  session_id    uuid, -- or after what a form is missing
  subject_id    uuid NOT NULL, -- the one of the two that there is
  rule          text COLLATE "C" NOT NULL,
  level         text COLLATE "C" NOT NULL CHECK (level IN ('low', 'moderate', 'high', 'critical')),
  status        text COLLATE "C" NOT NULL CHECK (status IN ('open', 'acknowledged', 'actioned', 'closed')),
  raised_at     timestamptz NOT NULL,
  opened_at     timestamptz NOT NULL,
  answered_at   timestamptz NOT NULL,
  received_at   timestamptz NOT NULL,
  withdrawn     boolean NOT NULL,
  repeat_of     uuid,
  tier          integer NOT NULL, -- of the chain, that was told last, 0 for none
  next_at       timestamptz, -- when the next one is told, null for never
  steps         integer NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, subject_id, rule),
  CHECK ((assessment_id IS NULL) <> (session_id IS NULL)),
  CHECK (status = 'open' OR next_at IS NULL),
  FOREIGN KEY (clinic_id, client_id, assessment_id) REFERENCES assessments (clinic_id, client_id, id),
  FOREIGN KEY (clinic_id, client_id, session_id) REFERENCES sessions (clinic_id, client_id, id)
);
CREATE INDEX alerts_listed ON alerts (clinic_id, raised_at DESC, id DESC);
CREATE INDEX alerts_by_status ON alerts (clinic_id, status, raised_at DESC, id DESC);
CREATE INDEX alerts_of_client ON alerts (clinic_id, client_id, raised_at DESC, id DESC);
CREATE INDEX alerts_due ON alerts (clinic_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alerts_repeated ON alerts (clinic_id, repeat_of) WHERE repeat_of IS NOT NULL;

CREATE TABLE alert_steps (
  clinic_id   uuid NOT NULL,
  alert_id    uuid NOT NULL,
  n           integer NOT NULL,
  client_id   uuid NOT NULL,
  at          timestamptz NOT NULL,
  by_actor    uuid, -- null: the program by itself
  deed        text COLLATE "C" NOT NULL,
  level       text COLLATE "C" NOT NULL,
  status      text COLLATE "C" NOT NULL,
  tier        integer NOT NULL,
  disposition text COLLATE "C" NOT NULL,
  note        text COLLATE "C" NOT NULL,
  PRIMARY KEY (clinic_id, alert_id, n),
  FOREIGN KEY (clinic_id, alert_id) REFERENCES alerts (clinic_id, id)
);
CREATE INDEX alert_steps_of_client ON alert_steps (clinic_id, client_id);

CREATE TABLE alert_settings (
  clinic_id uuid NOT NULL PRIMARY KEY,
  chain     text COLLATE "C" NOT NULL, -- JSON
  off       text COLLATE "C" NOT NULL  -- JSON: codes of rules
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['alerts', 'alert_steps', 'alert_settings']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_clinic ON %I USING (clinic_id = current_setting(''protrack.clinic'')::uuid) WITH CHECK (clinic_id = current_setting(''protrack.clinic'')::uuid)', t);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'protrack_app') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON alerts TO protrack_app;
    GRANT SELECT, INSERT, DELETE ON alert_steps TO protrack_app; -- no UPDATE: what became of an alert is stored once
    GRANT SELECT, INSERT, UPDATE ON alert_settings TO protrack_app;
  END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE alert_settings;
DROP TABLE alert_steps;
DROP TABLE alerts;
