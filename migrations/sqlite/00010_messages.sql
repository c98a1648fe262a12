-- Messages that wait to be sent, what the clinic chose for them, and where
-- clients read mail.

-- +goose Up
CREATE TABLE contacts (
  clinic_id  TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  email      TEXT NOT NULL, -- as it is, or sealed; empty: none is known
  opted_out  INTEGER NOT NULL CHECK (opted_out IN (0, 1)),
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  PRIMARY KEY (clinic_id, client_id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;

CREATE TABLE message_settings (
  clinic_id   TEXT NOT NULL REFERENCES clinics (id),
  clinic_name TEXT NOT NULL, -- as letters are signed; may be empty
  sent_by     TEXT NOT NULL CHECK (sent_by IN ('mail', 'webhook', 'none')),
  quiet_from  INTEGER NOT NULL CHECK (quiet_from BETWEEN 0 AND 1439), -- minutes from midnight where the client is
  quiet_to    INTEGER NOT NULL CHECK (quiet_to BETWEEN 0 AND 1439),
  reminders   TEXT NOT NULL, -- minutes after the invitation
  updated_at  INTEGER NOT NULL,
  PRIMARY KEY (clinic_id)
) STRICT;

CREATE TABLE messages (
  clinic_id  TEXT NOT NULL,
  id         TEXT NOT NULL,
  client_id  TEXT, -- of whose record it is; null: of no client
  account_id TEXT, -- who reads it; null: the client
  kind       TEXT NOT NULL,
  about      TEXT NOT NULL, -- what waits: an invitation, an alert
  link       TEXT NOT NULL, -- as it is, or sealed; empty once the message has ended
  language   TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'cancelled')),
  attempts   INTEGER NOT NULL,
  fence      INTEGER NOT NULL, -- how often it was taken
  due_at     INTEGER NOT NULL, -- while somebody sends it: when the lease ends
  last_error TEXT NOT NULL, -- a code; empty: nothing went wrong
  created_at INTEGER NOT NULL,
  ended_at   INTEGER,
  PRIMARY KEY (clinic_id, id),
  CHECK (client_id IS NOT NULL OR account_id IS NOT NULL),
  CHECK ((state = 'queued') = (ended_at IS NULL)),
  CHECK (state = 'queued' OR link = ''),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id),
  FOREIGN KEY (clinic_id, account_id) REFERENCES accounts (clinic_id, id)
) STRICT;
CREATE INDEX messages_due ON messages (clinic_id, due_at) WHERE state = 'queued';
CREATE INDEX messages_about ON messages (clinic_id, about) WHERE state = 'queued';
CREATE INDEX messages_of_client ON messages (clinic_id, client_id, id);
CREATE INDEX messages_of_account ON messages (clinic_id, account_id);

-- +goose Down
DROP TABLE messages;
DROP TABLE message_settings;
DROP TABLE contacts;
