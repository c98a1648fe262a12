-- Who may see what: people's accounts, clients' tokens, care teams, consent,
-- the client's rights, and the audit trail.

-- Times are microseconds since 1970 in UTC, dates and ids are text.

-- +goose Up
ALTER TABLE clinics ADD COLUMN care_teams INTEGER NOT NULL DEFAULT 0; -- true: a clinician sees assigned clients only

CREATE TABLE api_keys_now (
  clinic_id    TEXT NOT NULL REFERENCES clinics (id),
  id           TEXT NOT NULL,
  name         TEXT NOT NULL,
  role         TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'clinician', 'researcher', 'app')),
  hint         TEXT NOT NULL,
  hash         BLOB NOT NULL UNIQUE, -- SHA-256 of the key: 256 random bits, so unique across clinics
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  scopes       TEXT, -- permissions, by blanks; null: all of the role's
  last_used_at INTEGER,
  replaced_by  TEXT, -- the key that it was rotated to
  PRIMARY KEY (clinic_id, id)
) STRICT;
INSERT INTO api_keys_now (clinic_id, id, name, role, hint, hash, created_at, expires_at, revoked_at)
  SELECT clinic_id, id, name, role, hint, hash, created_at, expires_at, revoked_at FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE api_keys_now RENAME TO api_keys;

CREATE TABLE accounts (
  clinic_id       TEXT NOT NULL REFERENCES clinics (id),
  id              TEXT NOT NULL,
  email           TEXT NOT NULL,
  email_key       TEXT NOT NULL, -- the address in lower case
  name            TEXT NOT NULL,
  role            TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'clinician', 'researcher')),
  password        TEXT, -- PHC string; null: signs in elsewhere
  totp_secret     TEXT, -- null: no second factor
  totp_since      INTEGER, -- null: not confirmed yet
  totp_step       INTEGER NOT NULL DEFAULT 0, -- the last time step that was used
  issuer          TEXT, -- of OpenID Connect
  subject         TEXT,
  epoch           INTEGER NOT NULL DEFAULT 1, -- a browser session of an earlier epoch has ended
  created_at      INTEGER NOT NULL,
  disabled_at     INTEGER,
  last_sign_in_at INTEGER,
  PRIMARY KEY (clinic_id, id),
  CHECK ((issuer IS NULL) = (subject IS NULL))
) STRICT;
CREATE UNIQUE INDEX accounts_email ON accounts (clinic_id, email_key);
CREATE UNIQUE INDEX accounts_subject ON accounts (clinic_id, issuer, subject) WHERE issuer IS NOT NULL;

CREATE TABLE recovery_codes (
  clinic_id  TEXT NOT NULL,
  account_id TEXT NOT NULL,
  hash       BLOB NOT NULL,
  PRIMARY KEY (clinic_id, account_id, hash),
  FOREIGN KEY (clinic_id, account_id) REFERENCES accounts (clinic_id, id)
) STRICT;

-- How often signing in failed, by account and address: a guesser elsewhere
-- does not lock out the one whose account it is.
CREATE TABLE sign_in_failures (
  clinic_id    TEXT NOT NULL REFERENCES clinics (id),
  account_key  TEXT NOT NULL, -- the address that was typed, hashed: it need not exist
  address      TEXT NOT NULL, -- * for all that are strange to the account
  failures     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  locked_until INTEGER,
  known_since  INTEGER, -- when signing in from here succeeded first; null: it never did
  PRIMARY KEY (clinic_id, account_key, address)
) STRICT;
CREATE INDEX sign_in_failures_stale ON sign_in_failures (clinic_id, last_at) WHERE known_since IS NULL;

-- Browser sessions: before signing in they belong to no clinic.
CREATE TABLE web_sessions (
  token      BLOB NOT NULL PRIMARY KEY, -- SHA-256 of what the cookie holds
  data       BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX web_sessions_expired ON web_sessions (expires_at);

CREATE TABLE client_tokens (
  clinic_id  TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  id         TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE, -- SHA-256 of 256 random bits
  minted_by  TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE INDEX client_tokens_of_client ON client_tokens (clinic_id, client_id, id);

CREATE TABLE care_team (
  clinic_id  TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  member     TEXT NOT NULL, -- an account or a key
  kind       TEXT NOT NULL CHECK (kind IN ('assigned', 'break_glass')),
  since      INTEGER NOT NULL,
  until      INTEGER, -- null: without an end
  reason     TEXT NOT NULL,
  note       TEXT NOT NULL,
  added_by   TEXT NOT NULL,
  PRIMARY KEY (clinic_id, client_id, member, kind, since), -- what has ended is kept
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE INDEX care_team_of_member ON care_team (clinic_id, member, client_id);

CREATE TABLE consents (
  clinic_id    TEXT NOT NULL,
  client_id    TEXT NOT NULL,
  id           TEXT NOT NULL,
  scope        TEXT NOT NULL CHECK (scope IN ('care', 'research', 'contact', 'data_sharing')),
  status       TEXT NOT NULL CHECK (status IN ('granted', 'withdrawn')),
  at           INTEGER NOT NULL,
  text_version TEXT NOT NULL,
  recorded_at  INTEGER NOT NULL,
  recorded_by  TEXT NOT NULL,
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE INDEX consents_of_client ON consents (clinic_id, client_id, scope, at, recorded_at);

CREATE TABLE corrections (
  clinic_id    TEXT NOT NULL,
  client_id    TEXT NOT NULL,
  id           TEXT NOT NULL,
  target       TEXT NOT NULL,
  target_id    TEXT,
  request      TEXT NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('open', 'accepted', 'refused')),
  note         TEXT NOT NULL,
  requested_at INTEGER NOT NULL,
  requested_by TEXT NOT NULL,
  decided_at   INTEGER,
  decided_by   TEXT,
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE INDEX corrections_of_client ON corrections (clinic_id, client_id, requested_at, id);

-- What is left of a client whose record was erased: that, when and by whom.
ALTER TABLE clients ADD COLUMN erased_at INTEGER;
CREATE TABLE erasures (
  clinic_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  erased_at INTEGER NOT NULL,
  erased_by TEXT NOT NULL,
  reason    TEXT NOT NULL, -- a code, never a text
  removed   TEXT NOT NULL, -- JSON: table -> rows
  PRIMARY KEY (clinic_id, client_id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;

-- Two records of one person: the duplicate points to the other, and nothing
-- else moves, so that it can be undone.
ALTER TABLE clients ADD COLUMN merged_into TEXT;
CREATE INDEX clients_merged ON clients (clinic_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX clients_person ON clients (clinic_id, COALESCE(merged_into, id)); -- the records of one person
CREATE TABLE merges (
  clinic_id TEXT NOT NULL,
  id        TEXT NOT NULL,
  survivor  TEXT NOT NULL,
  duplicate TEXT NOT NULL,
  reason    TEXT NOT NULL,
  merged_at INTEGER NOT NULL,
  merged_by TEXT NOT NULL,
  undone_at INTEGER,
  undone_by TEXT,
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, survivor) REFERENCES clients (clinic_id, id),
  FOREIGN KEY (clinic_id, duplicate) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE INDEX merges_of_survivor ON merges (clinic_id, survivor, id);
CREATE INDEX merges_of_duplicate ON merges (clinic_id, duplicate, id);

-- The audit trail outlives what it tells of, and points to nothing. An entry
-- commits with its act; the sealer gives it its place in the chain afterwards.
CREATE TABLE audit_entries (
  clinic_id  TEXT NOT NULL,
  id         TEXT NOT NULL,
  at         INTEGER NOT NULL,
  actor      TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  role       TEXT NOT NULL,
  address    TEXT NOT NULL,
  request    TEXT NOT NULL,
  action     TEXT NOT NULL,
  outcome    TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
  target     TEXT NOT NULL,
  target_id  TEXT,
  client_id  TEXT, -- null: of no client, or of several
  details    TEXT NOT NULL, -- JSON, hashed byte by byte
  seq        INTEGER, -- null: not in the chain yet
  hash       BLOB,
  PRIMARY KEY (clinic_id, id)
) STRICT;
CREATE UNIQUE INDEX audit_entries_chain ON audit_entries (clinic_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_entries_unsealed ON audit_entries (clinic_id, at, id) WHERE seq IS NULL;
CREATE INDEX audit_entries_by_time ON audit_entries (clinic_id, at, id);
CREATE INDEX audit_entries_by_client ON audit_entries (clinic_id, client_id, at, id) WHERE client_id IS NOT NULL;
CREATE INDEX audit_entries_by_actor ON audit_entries (clinic_id, actor, at, id);
CREATE INDEX audit_entries_by_action ON audit_entries (clinic_id, action, at, id);

-- The clients of an entry that concerns several.
CREATE TABLE audit_subjects (
  clinic_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  entry_id  TEXT NOT NULL,
  PRIMARY KEY (clinic_id, client_id, entry_id)
) STRICT;
CREATE INDEX audit_subjects_of_entry ON audit_subjects (clinic_id, entry_id, client_id);

CREATE TABLE audit_heads (
  clinic_id TEXT NOT NULL PRIMARY KEY,
  seq       INTEGER NOT NULL,
  hash      BLOB NOT NULL,
  at        INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_checkpoints (
  clinic_id TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  note      TEXT NOT NULL, -- signed
  PRIMARY KEY (clinic_id, seq)
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER clients_merged_into BEFORE UPDATE OF merged_into ON clients WHEN NEW.merged_into IS NOT NULL AND NOT EXISTS (SELECT 1 FROM clients WHERE clinic_id = NEW.clinic_id AND id = NEW.merged_into)
BEGIN SELECT RAISE(ABORT, 'a duplicate points to a client of its clinic'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_kept BEFORE UPDATE OF clinic_id, id, at, actor, actor_kind, role, address, request, action, outcome, target, target_id, client_id, details ON audit_entries
BEGIN SELECT RAISE(ABORT, 'an entry of the audit trail does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_once BEFORE UPDATE OF seq, hash ON audit_entries WHEN OLD.seq IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an entry of the audit trail does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'an entry of the audit trail does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_subjects_kept BEFORE UPDATE ON audit_subjects
BEGIN SELECT RAISE(ABORT, 'a row of audit_subjects does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_subjects_stay BEFORE DELETE ON audit_subjects
BEGIN SELECT RAISE(ABORT, 'a row of audit_subjects does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_checkpoints_kept BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'a row of audit_checkpoints does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_checkpoints_stay BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'a row of audit_checkpoints does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER erasures_kept BEFORE UPDATE ON erasures
BEGIN SELECT RAISE(ABORT, 'a row of erasures does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER erasures_stay BEFORE DELETE ON erasures
BEGIN SELECT RAISE(ABORT, 'a row of erasures does not change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER consents_kept BEFORE UPDATE ON consents
BEGIN SELECT RAISE(ABORT, 'a row of consents does not change'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_checkpoints;
DROP TABLE audit_heads;
DROP TABLE audit_subjects;
DROP TABLE audit_entries;
DROP TABLE merges;
DROP TABLE erasures;
DROP TABLE corrections;
DROP TABLE consents;
DROP TABLE care_team;
DROP TABLE client_tokens;
DROP TABLE web_sessions;
DROP TABLE sign_in_failures;
DROP TABLE recovery_codes;
DROP TABLE accounts;
DROP TRIGGER clients_merged_into;
DROP INDEX clients_person;
DROP INDEX clients_merged;
ALTER TABLE clients DROP COLUMN merged_into;
ALTER TABLE clients DROP COLUMN erased_at;
CREATE TABLE api_keys_before (
  clinic_id  TEXT NOT NULL REFERENCES clinics (id),
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL CHECK (role IN ('admin', 'clinician', 'researcher', 'app')),
  hint       TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  PRIMARY KEY (clinic_id, id)
) STRICT;
INSERT INTO api_keys_before SELECT clinic_id, id, name, role, hint, hash, created_at, expires_at, revoked_at FROM api_keys WHERE role <> 'owner';
DROP TABLE api_keys;
ALTER TABLE api_keys_before RENAME TO api_keys;
ALTER TABLE clinics DROP COLUMN care_teams;
