-- Webhooks, and the events on their way to them.

-- +goose Up
CREATE TABLE webhooks (
  clinic_id     TEXT NOT NULL REFERENCES clinics (id),
  id            TEXT NOT NULL,
  name          TEXT NOT NULL,
  url           TEXT NOT NULL,
  types         TEXT NOT NULL, -- JSON: of event; [] is all
  secret        BLOB NOT NULL, -- as it is, or what seals it
  old_secret    BLOB,
  old_until     INTEGER, -- until when old_secret signs as well
  disabled_at   INTEGER, -- null: events are sent
  disabled      TEXT NOT NULL, -- why; empty: it is not
  failing_since INTEGER, -- null: the last attempt came through
  cursor        INTEGER NOT NULL, -- the last event that deliveries were made of
  placed        INTEGER NOT NULL, -- the last place that was given to a delivery
  version       INTEGER NOT NULL CHECK (version > 0),
  created_at    INTEGER NOT NULL,
  created_by    TEXT NOT NULL,
  updated_at    INTEGER NOT NULL,
  PRIMARY KEY (clinic_id, id)
) STRICT;

CREATE TABLE deliveries (
  clinic_id    TEXT NOT NULL,
  id           TEXT NOT NULL,
  webhook_id   TEXT NOT NULL,
  place        INTEGER NOT NULL, -- among those of the webhook: a client's are sent in this order
  event_seq    INTEGER NOT NULL,
  client_id    TEXT, -- null: of no client
  state        TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
  attempts     INTEGER NOT NULL,
  fence        INTEGER NOT NULL, -- how often it was taken
  due_at       INTEGER NOT NULL, -- while somebody sends it: when the lease ends
  last_at      INTEGER,
  last_status  INTEGER NOT NULL,
  last_error   TEXT NOT NULL,
  delivered_at INTEGER,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, webhook_id, place),
  FOREIGN KEY (clinic_id, webhook_id) REFERENCES webhooks (clinic_id, id),
  FOREIGN KEY (clinic_id, event_seq) REFERENCES events (clinic_id, seq),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (clinic_id, due_at) WHERE state = 'pending';
CREATE INDEX deliveries_line ON deliveries (clinic_id, webhook_id, client_id, place) WHERE state = 'pending';
CREATE INDEX deliveries_by_state ON deliveries (clinic_id, webhook_id, state, place);
CREATE INDEX deliveries_of_client ON deliveries (clinic_id, client_id);
CREATE INDEX deliveries_of_event ON deliveries (clinic_id, event_seq);
CREATE INDEX events_at ON events (clinic_id, at);

-- +goose Down
DROP INDEX events_at;
DROP TABLE deliveries;
DROP TABLE webhooks;
