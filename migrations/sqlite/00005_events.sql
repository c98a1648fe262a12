-- What happened, for those outside: stored with the change, numbered in the
-- order of the commits of a clinic.

-- +goose Up
CREATE TABLE event_heads (
  clinic_id TEXT NOT NULL PRIMARY KEY REFERENCES clinics (id),
  seq       INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
  clinic_id TEXT NOT NULL REFERENCES event_heads (clinic_id), -- not clinics: whoever holds a clinic may wait for who waits to tell
  seq       INTEGER NOT NULL,
  id        TEXT NOT NULL,
  type      TEXT NOT NULL,
  client_id TEXT, -- null: of no client
  at        INTEGER NOT NULL,
  data      TEXT NOT NULL, -- JSON: ids and codes
  PRIMARY KEY (clinic_id, seq),
  UNIQUE (clinic_id, id),
  FOREIGN KEY (clinic_id, client_id) REFERENCES clients (clinic_id, id)
) STRICT;
CREATE INDEX events_of_client ON events (clinic_id, client_id, seq);

-- +goose Down
DROP TABLE events;
DROP TABLE event_heads;
