-- What happened, for those outside: stored with the change, numbered in the
-- order of the commits of a clinic.

-- +goose Up
CREATE TABLE event_heads (
  clinic_id uuid NOT NULL PRIMARY KEY REFERENCES clinics (id),
  seq       bigint NOT NULL
);

CREATE TABLE events (
  clinic_id uuid NOT NULL REFERENCES event_heads (clinic_id), -- not clinics: whoever holds a clinic may wait for who waits to tell
  seq       bigint NOT NULL,
  id        uuid NOT NULL,
  type      text COLLATE "C" NOT NULL,
  client_id uuid, -- null: of no client
  at        timestamptz NOT NULL,
  data      text NOT NULL, -- JSON: ids and codes
  PRIMARY KEY (clinic_id, seq),
  UNIQUE (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);
CREATE INDEX events_of_client ON events (clinic_id, client_id, seq);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['event_heads', 'events']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_clinic ON %I USING (clinic_id = current_setting(''protrack.clinic'')::uuid) WITH CHECK (clinic_id = current_setting(''protrack.clinic'')::uuid)', t);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'protrack_app') THEN
    GRANT SELECT, INSERT, UPDATE ON event_heads TO protrack_app;
    GRANT SELECT, INSERT, DELETE ON events TO protrack_app;
  END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE events;
DROP TABLE event_heads;
