-- Messages that wait to be sent, what the clinic chose for them, and where
-- clients read mail.

-- +goose Up
CREATE TABLE contacts (
  clinic_id  uuid NOT NULL,
  client_id  uuid NOT NULL,
  email      text NOT NULL, -- as it is, or sealed; empty: none is known
  opted_out  boolean NOT NULL,
  updated_at timestamptz NOT NULL,
  updated_by uuid NOT NULL,
  PRIMARY KEY (clinic_id, client_id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);

CREATE TABLE message_settings (
  clinic_id   uuid NOT NULL REFERENCES clinics (id),
  clinic_name text NOT NULL, -- as letters are signed; may be empty
  sent_by     text COLLATE "C" NOT NULL CHECK (sent_by IN ('mail', 'webhook', 'none')),
  quiet_from  integer NOT NULL CHECK (quiet_from BETWEEN 0 AND 1439), -- minutes from midnight where the client is
  quiet_to    integer NOT NULL CHECK (quiet_to BETWEEN 0 AND 1439),
  reminders   jsonb NOT NULL, -- minutes after the invitation
  updated_at  timestamptz NOT NULL,
  PRIMARY KEY (clinic_id)
);

CREATE TABLE messages (
  clinic_id  uuid NOT NULL,
  id         uuid NOT NULL,
  client_id  uuid, -- of whose record it is; null: of no client
  account_id uuid, -- who reads it; null: the client
  kind       text COLLATE "C" NOT NULL,
  about      uuid NOT NULL, -- what waits: an invitation, an alert
  link       text NOT NULL, -- as it is, or sealed; empty once the message has ended
  language   text COLLATE "C" NOT NULL,
  state      text COLLATE "C" NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'cancelled')),
  attempts   integer NOT NULL,
  fence      bigint NOT NULL, -- how often it was taken
  due_at     timestamptz NOT NULL, -- while somebody sends it: when the lease ends
  last_error text COLLATE "C" NOT NULL, -- a code; empty: nothing went wrong
  created_at timestamptz NOT NULL,
  ended_at   timestamptz,
  PRIMARY KEY (clinic_id, id),
  CHECK (client_id IS NOT NULL OR account_id IS NOT NULL),
  CHECK ((state = 'queued') = (ended_at IS NULL)),
  CHECK (state = 'queued' OR link = ''),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id),
  FOREIGN KEY (clinic_id, account_id) REFERENCES accounts (clinic_id, id)
);
CREATE INDEX messages_due ON messages (clinic_id, due_at) WHERE state = 'queued';
CREATE INDEX messages_about ON messages (clinic_id, about) WHERE state = 'queued';
CREATE INDEX messages_of_client ON messages (clinic_id, client_id, id);
CREATE INDEX messages_of_account ON messages (clinic_id, account_id);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['contacts', 'message_settings', 'messages']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_clinic ON %I USING (clinic_id = current_setting(''protrack.clinic'')::uuid) WITH CHECK (clinic_id = current_setting(''protrack.clinic'')::uuid)', t);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'protrack_app') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON contacts, message_settings, messages TO protrack_app;
  END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE messages;
DROP TABLE message_settings;
DROP TABLE contacts;
