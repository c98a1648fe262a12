-- Who may see what: people's accounts, clients' tokens, care teams, consent,
-- the client's rights, and the audit trail; and row-level security over
-- everything that a clinic has.
--
-- The second wall: the program works as protrack_app, which owns nothing, and
-- each transaction names its clinic in protrack.clinic. Where that is not set,
-- the policies raise an error rather than show nothing.

-- +goose Up
ALTER TABLE clinics ADD COLUMN care_teams boolean NOT NULL DEFAULT false; -- true: a clinician sees assigned clients only

ALTER TABLE api_keys DROP CONSTRAINT api_keys_role_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_role_check CHECK (role IN ('owner', 'admin', 'clinician', 'researcher', 'app'));
ALTER TABLE api_keys ADD COLUMN scopes text; -- permissions, by blanks; null: all of the role's
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;
ALTER TABLE api_keys ADD COLUMN replaced_by uuid; -- the key that it was rotated to

CREATE TABLE accounts (
  clinic_id       uuid NOT NULL REFERENCES clinics (id),
  id              uuid NOT NULL,
  email           text NOT NULL,
  email_key       text COLLATE "C" NOT NULL, -- the address in lower case
  name            text NOT NULL,
  role            text NOT NULL CHECK (role IN ('owner', 'admin', 'clinician', 'researcher')),
  password        text, -- PHC string; null: signs in elsewhere
  totp_secret     text, -- null: no second factor
  totp_since      timestamptz, -- null: not confirmed yet
  totp_step       bigint NOT NULL DEFAULT 0, -- the last time step that was used
  issuer          text, -- of OpenID Connect
  subject         text,
  epoch           integer NOT NULL DEFAULT 1, -- a browser session of an earlier epoch has ended
  created_at      timestamptz NOT NULL,
  disabled_at     timestamptz,
  last_sign_in_at timestamptz,
  PRIMARY KEY (clinic_id, id),
  CHECK ((issuer IS NULL) = (subject IS NULL))
);
CREATE UNIQUE INDEX accounts_email ON accounts (clinic_id, email_key);
CREATE UNIQUE INDEX accounts_subject ON accounts (clinic_id, issuer, subject) WHERE issuer IS NOT NULL;

CREATE TABLE recovery_codes (
  clinic_id  uuid NOT NULL,
  account_id uuid NOT NULL,
  hash       bytea NOT NULL,
  PRIMARY KEY (clinic_id, account_id, hash),
  FOREIGN KEY (clinic_id, account_id) REFERENCES accounts (clinic_id, id)
);

-- How often signing in failed, by account and address: a guesser elsewhere
-- does not lock out the one whose account it is.
CREATE TABLE sign_in_failures (
  clinic_id    uuid NOT NULL REFERENCES clinics (id),
  account_key  text COLLATE "C" NOT NULL, -- the address that was typed, hashed: it need not exist
  address      text COLLATE "C" NOT NULL, -- * for all that are strange to the account
  failures     integer NOT NULL,
  last_at      timestamptz NOT NULL,
  locked_until timestamptz,
  known_since  timestamptz, -- when signing in from here succeeded first; null: it never did
  PRIMARY KEY (clinic_id, account_key, address)
);
CREATE INDEX sign_in_failures_stale ON sign_in_failures (clinic_id, last_at) WHERE known_since IS NULL;

-- Browser sessions: before signing in they belong to no clinic.
CREATE TABLE web_sessions (
  token      bytea NOT NULL PRIMARY KEY, -- SHA-256 of what the cookie holds
  data       bytea NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX web_sessions_expired ON web_sessions (expires_at);

CREATE TABLE client_tokens (
  clinic_id  uuid NOT NULL,
  client_id  uuid NOT NULL,
  id         uuid NOT NULL,
  hash       bytea NOT NULL UNIQUE, -- SHA-256 of 256 random bits
  minted_by  uuid NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);
CREATE INDEX client_tokens_of_client ON client_tokens (clinic_id, client_id, id);

CREATE TABLE care_team (
  clinic_id  uuid NOT NULL,
  client_id  uuid NOT NULL,
  member     uuid NOT NULL, -- an account or a key
  kind       text NOT NULL CHECK (kind IN ('assigned', 'break_glass')),
  since      timestamptz NOT NULL,
  until      timestamptz, -- null: without an end
  reason     text NOT NULL,
  note       text NOT NULL,
  added_by   uuid NOT NULL,
  PRIMARY KEY (clinic_id, client_id, member, kind, since), -- what has ended is kept
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);
CREATE INDEX care_team_of_member ON care_team (clinic_id, member, client_id);

CREATE TABLE consents (
  clinic_id    uuid NOT NULL,
  client_id    uuid NOT NULL,
  id           uuid NOT NULL,
  scope        text NOT NULL CHECK (scope IN ('care', 'research', 'contact', 'data_sharing')),
  status       text NOT NULL CHECK (status IN ('granted', 'withdrawn')),
  at           timestamptz NOT NULL,
  text_version text NOT NULL,
  recorded_at  timestamptz NOT NULL,
  recorded_by  uuid NOT NULL,
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);
CREATE INDEX consents_of_client ON consents (clinic_id, client_id, scope, at, recorded_at);

CREATE TABLE corrections (
  clinic_id    uuid NOT NULL,
  client_id    uuid NOT NULL,
  id           uuid NOT NULL,
  target       text NOT NULL,
  target_id    uuid,
  request      text NOT NULL,
  status       text NOT NULL CHECK (status IN ('open', 'accepted', 'refused')),
  note         text NOT NULL,
  requested_at timestamptz NOT NULL,
  requested_by uuid NOT NULL,
  decided_at   timestamptz,
  decided_by   uuid,
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);
CREATE INDEX corrections_of_client ON corrections (clinic_id, client_id, requested_at, id);

-- What is left of a client whose record was erased: that, when and by whom.
ALTER TABLE clients ADD COLUMN erased_at timestamptz;
CREATE TABLE erasures (
  clinic_id uuid NOT NULL,
  client_id uuid NOT NULL,
  erased_at timestamptz NOT NULL,
  erased_by uuid NOT NULL,
  reason    text NOT NULL, -- a code, never a text
  removed   text NOT NULL, -- JSON: table -> rows
  PRIMARY KEY (clinic_id, client_id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
);

-- Two records of one person: the duplicate points to the other, and nothing
-- else moves, so that it can be undone.
ALTER TABLE clients ADD COLUMN merged_into uuid;
ALTER TABLE clients ADD CONSTRAINT clients_merged_into FOREIGN KEY (clinic_id, merged_into) REFERENCES clients (clinic_id, id);
CREATE INDEX clients_merged ON clients (clinic_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX clients_person ON clients (clinic_id, COALESCE(merged_into, id)); -- the records of one person
CREATE TABLE merges (
  clinic_id uuid NOT NULL,
  id        uuid NOT NULL,
  survivor  uuid NOT NULL,
  duplicate uuid NOT NULL,
  reason    text NOT NULL,
  merged_at timestamptz NOT NULL,
  merged_by uuid NOT NULL,
  undone_at timestamptz,
  undone_by uuid,
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, survivor) REFERENCES clients (clinic_id, id),
  FOREIGN KEY (clinic_id, duplicate) REFERENCES clients (clinic_id, id)
);
CREATE INDEX merges_of_survivor ON merges (clinic_id, survivor, id);
CREATE INDEX merges_of_duplicate ON merges (clinic_id, duplicate, id);

-- The audit trail outlives what it tells of, and points to nothing. An entry
-- commits with its act; the sealer gives it its place in the chain afterwards.
CREATE TABLE audit_entries (
  clinic_id  uuid NOT NULL,
  id         uuid NOT NULL,
  at         timestamptz NOT NULL,
  actor      uuid NOT NULL,
  actor_kind text NOT NULL,
  role       text NOT NULL,
  address    text NOT NULL,
  request    text NOT NULL,
  action     text COLLATE "C" NOT NULL,
  outcome    text NOT NULL CHECK (outcome IN ('done', 'refused')),
  target     text NOT NULL,
  target_id  uuid,
  client_id  uuid, -- null: of no client, or of several
  details    text NOT NULL, -- JSON, hashed byte by byte
  seq        bigint, -- null: not in the chain yet
  hash       bytea,
  PRIMARY KEY (clinic_id, id)
);
CREATE UNIQUE INDEX audit_entries_chain ON audit_entries (clinic_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_entries_unsealed ON audit_entries (clinic_id, at, id) WHERE seq IS NULL;
CREATE INDEX audit_entries_by_time ON audit_entries (clinic_id, at, id);
CREATE INDEX audit_entries_by_client ON audit_entries (clinic_id, client_id, at, id) WHERE client_id IS NOT NULL;
CREATE INDEX audit_entries_by_actor ON audit_entries (clinic_id, actor, at, id);
CREATE INDEX audit_entries_by_action ON audit_entries (clinic_id, action, at, id);

-- The clients of an entry that concerns several.
CREATE TABLE audit_subjects (
  clinic_id uuid NOT NULL,
  client_id uuid NOT NULL,
  entry_id  uuid NOT NULL,
  PRIMARY KEY (clinic_id, client_id, entry_id)
);
CREATE INDEX audit_subjects_of_entry ON audit_subjects (clinic_id, entry_id, client_id);

CREATE TABLE audit_heads (
  clinic_id uuid NOT NULL PRIMARY KEY,
  seq       bigint NOT NULL,
  hash      bytea NOT NULL,
  at        timestamptz NOT NULL
);

CREATE TABLE audit_checkpoints (
  clinic_id uuid NOT NULL,
  seq       bigint NOT NULL,
  at        timestamptz NOT NULL,
  note      text NOT NULL, -- signed
  PRIMARY KEY (clinic_id, seq)
);

-- +goose StatementBegin
CREATE FUNCTION keep_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.seq IS NOT NULL OR to_jsonb(NEW) - 'seq' - 'hash' <> to_jsonb(OLD) - 'seq' - 'hash' THEN
    RAISE EXCEPTION 'an entry of the audit trail does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a row of % does not change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_entries_kept BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION keep_entry();
CREATE TRIGGER audit_subjects_kept BEFORE UPDATE OR DELETE ON audit_subjects FOR EACH ROW EXECUTE FUNCTION keep_row();
CREATE TRIGGER audit_checkpoints_kept BEFORE UPDATE OR DELETE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION keep_row();
CREATE TRIGGER audit_entries_stay BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION keep_row();
CREATE TRIGGER audit_subjects_stay BEFORE TRUNCATE ON audit_subjects FOR EACH STATEMENT EXECUTE FUNCTION keep_row();
CREATE TRIGGER audit_checkpoints_stay BEFORE TRUNCATE ON audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION keep_row();
CREATE TRIGGER consents_kept BEFORE UPDATE ON consents FOR EACH ROW EXECUTE FUNCTION keep_row();
CREATE TRIGGER erasures_kept BEFORE UPDATE OR DELETE ON erasures FOR EACH ROW EXECUTE FUNCTION keep_row();

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
           WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attname = 'clinic_id' AND NOT a.attisdropped
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY own_clinic ON %I USING (clinic_id = current_setting(''protrack.clinic'')::uuid) WITH CHECK (clinic_id = current_setting(''protrack.clinic'')::uuid)', t);
  END LOOP;
END $$;
-- +goose StatementEnd
-- Who shows a credential is looked up by its hash before the clinic is known.
CREATE POLICY shown ON api_keys FOR SELECT USING (hash = decode(current_setting('protrack.credential', true), 'hex'));
CREATE POLICY shown ON client_tokens FOR SELECT USING (hash = decode(current_setting('protrack.credential', true), 'hex'));
ALTER TABLE web_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE web_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY shown ON web_sessions USING (token = decode(current_setting('protrack.credential', true), 'hex'))
  WITH CHECK (token = decode(current_setting('protrack.credential', true), 'hex'));
CREATE POLICY expired ON web_sessions USING (expires_at < now()) WITH CHECK (false);
-- The register of clinics holds nothing of a client, and is how a clinic is found.
ALTER TABLE clinics ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinics FORCE ROW LEVEL SECURITY;
CREATE POLICY listed ON clinics FOR SELECT USING (true);
CREATE POLICY own_clinic ON clinics USING (id = current_setting('protrack.clinic')::uuid) WITH CHECK (id = current_setting('protrack.clinic')::uuid);

-- The role of the running program. Where this user may not make one, it has to
-- be there already; without any, the owner works, whom FORCE binds as well.
-- +goose StatementBegin
DO $$
BEGIN
  BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'protrack_app') THEN
      CREATE ROLE protrack_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
    -- Also where it is a member: from PostgreSQL 16 on, who makes a role may not take it.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
      EXECUTE format('GRANT protrack_app TO %I', current_user);
    END IF;
  EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
    NULL; -- another server makes it, or an administrator has to
  END;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'protrack_app') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO protrack_app', current_schema());
    GRANT SELECT, INSERT, UPDATE ON clinics, api_keys, accounts, clients, client_versions, course_versions, session_versions,
      assessment_versions, progress, instrument_settings, sign_in_failures, web_sessions, client_tokens, care_team, corrections, merges TO protrack_app;
    GRANT SELECT, INSERT ON courses, sessions, assessments, recovery_codes, consents, erasures,
      audit_entries, audit_subjects, audit_heads, audit_checkpoints TO protrack_app;
    GRANT UPDATE (seq, hash) ON audit_entries TO protrack_app;
    GRANT UPDATE ON audit_heads TO protrack_app;
    GRANT DELETE ON progress, instrument_settings, web_sessions, sign_in_failures, recovery_codes, care_team,
      client_versions, courses, course_versions, sessions, session_versions, assessments, assessment_versions,
      consents, corrections, client_tokens, merges TO protrack_app;
  END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relrowsecurity
  LOOP
    EXECUTE format('DROP POLICY IF EXISTS own_clinic ON %I', t);
    EXECUTE format('DROP POLICY IF EXISTS shown ON %I', t);
    EXECUTE format('DROP POLICY IF EXISTS listed ON %I', t);
    EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', t);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'protrack_app') THEN
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM protrack_app', current_schema());
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM protrack_app', current_schema());
  END IF;
END $$;
-- +goose StatementEnd
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
DROP FUNCTION keep_entry();
DROP FUNCTION keep_row();
ALTER TABLE clients DROP COLUMN merged_into;
ALTER TABLE clients DROP COLUMN erased_at;
ALTER TABLE api_keys DROP COLUMN replaced_by;
ALTER TABLE api_keys DROP COLUMN last_used_at;
ALTER TABLE api_keys DROP COLUMN scopes;
DELETE FROM api_keys WHERE role = 'owner';
ALTER TABLE api_keys DROP CONSTRAINT api_keys_role_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_role_check CHECK (role IN ('admin', 'clinician', 'researcher', 'app'));
ALTER TABLE clinics DROP COLUMN care_teams;
