-- A counter that has been heard of, and when it was last answered: the time of
-- its acknowledgements only grows.
CREATE TABLE counter (
  counter TEXT    PRIMARY KEY,
  ack_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The end of each chain.
CREATE TABLE epoch (
  counter TEXT    NOT NULL,
  epoch   BLOB    NOT NULL CHECK (length(epoch) = 16),
  through INTEGER NOT NULL,
  head    BLOB    NOT NULL CHECK (length(head) = 32),
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (counter, epoch)
) STRICT;

-- Sealed events, each position once.
CREATE TABLE event (
  counter     TEXT    NOT NULL,
  epoch       BLOB    NOT NULL,
  sequence    INTEGER NOT NULL,
  id          BLOB    NOT NULL CHECK (length(id) = 16),
  type        TEXT    NOT NULL,
  time        TEXT    NOT NULL,
  hash        BLOB    NOT NULL CHECK (length(hash) = 32),
  sealed      BLOB    NOT NULL,
  received_ms INTEGER NOT NULL,
  repeated    INTEGER NOT NULL,        -- 1: this counter sent an event with this id before
  PRIMARY KEY (counter, epoch, sequence)
) STRICT;
CREATE INDEX event_id ON event(id);

-- What was not accepted, and why.
CREATE TABLE aside (
  n           INTEGER PRIMARY KEY,
  counter     TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  sealed      BLOB    NOT NULL,
  hash        BLOB    NOT NULL,
  received_ms INTEGER NOT NULL,
  UNIQUE (hash, reason)
) STRICT;
CREATE INDEX aside_counter ON aside(counter, reason);
