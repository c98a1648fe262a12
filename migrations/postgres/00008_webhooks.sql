-- Webhooks, and the events on their way to them.

-- +goose Up
CREATE TABLE webhooks (
  clinic_id     uuid NOT NULL REFERENCES clinics (id),
  id            uuid NOT NULL,
  name          text NOT NULL,
  url           text NOT NULL,
  types         text NOT NULL, -- JSON: of event; [] is all
  secret        bytea NOT NULL, -- as it is, or what seals it
  old_secret    bytea,
  old_until     timestamptz, -- until when old_secret signs as well
  disabled_at   timestamptz, -- null: events are sent
  disabled      text COLLATE "C" NOT NULL, -- why; empty: it is not
  failing_since timestamptz, -- null: the last attempt came through
  cursor        bigint NOT NULL, -- the last event that deliveries were made of
  placed        bigint NOT NULL, -- the last place that was given to a delivery
  version       integer NOT NULL CHECK (version > 0),
  created_at    timestamptz NOT NULL,
  created_by    uuid NOT NULL,
  updated_at    timestamptz NOT NULL,
  PRIMARY KEY (clinic_id, id)
);

CREATE TABLE deliveries (
  clinic_id    uuid NOT NULL,
  id           uuid NOT NULL,
  webhook_id   uuid NOT NULL,
  place        bigint NOT NULL, -- among those of the webhook: a client's are sent in this order
  event_seq    bigint NOT NULL,
  client_id    uuid, -- null: of no client
  state        text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
  attempts     integer NOT NULL,
  fence        bigint NOT NULL, -- how often it was taken
  due_at       timestamptz NOT NULL, -- while somebody sends it: when the lease ends
  last_at      timestamptz,
  last_status  integer NOT NULL,
  last_error   text COLLATE "C" NOT NULL,
  delivered_at timestamptz,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, webhook_id, place),
  FOREIGN KEY (clinic_id, webhook_id) REFERENCES webhooks (clinic_id, id),
  FOREIGN KEY (clinic_id, event_seq) REFERENCES events (clinic_id, seq),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);
CREATE INDEX deliveries_due ON deliveries (clinic_id, due_at) WHERE state = 'pending';
CREATE INDEX deliveries_line ON deliveries (clinic_id, webhook_id, client_id, place) WHERE state = 'pending';
CREATE INDEX deliveries_by_state ON deliveries (clinic_id, webhook_id, state, place);
CREATE INDEX deliveries_of_client ON deliveries (clinic_id, client_id);
CREATE INDEX deliveries_of_event ON deliveries (clinic_id, event_seq);
CREATE INDEX events_at ON events (clinic_id, at);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['webhooks', 'deliveries']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_clinic ON %I USING (clinic_id = current_setting(''protrack.clinic'')::uuid) WITH CHECK (clinic_id = current_setting(''protrack.clinic'')::uuid)', t);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'protrack_app') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks, deliveries TO protrack_app;
  END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX events_at;
DROP TABLE deliveries;
DROP TABLE webhooks;
