-- Events that came before the one that they follow, where several hubs share
-- the load: another hub has that one. They are taken in when it is here, by
-- whoever brings it; nothing is acknowledged by being here.
CREATE TABLE waiting (
  n           INTEGER PRIMARY KEY,
  counter     TEXT    NOT NULL,
  epoch       BLOB    NOT NULL,
  sequence    INTEGER NOT NULL,
  sealed      BLOB    NOT NULL,
  received_ms INTEGER NOT NULL,
  UNIQUE (counter, epoch, sequence)
) STRICT;

-- Keys that are trusted for a counter, by the word of an operator or of the
-- key before, beside those in the key folder of a hub's machine.
CREATE TABLE counter_key (
  n        INTEGER PRIMARY KEY,
  counter  TEXT    NOT NULL,
  kid      TEXT    NOT NULL,            -- RFC 7638 thumbprint
  key      BLOB    NOT NULL CHECK (length(key) = 32),   -- Ed25519
  added_ms INTEGER NOT NULL,
  UNIQUE (counter, kid)
) STRICT;

-- Since when nothing new of the counter is accepted.
ALTER TABLE counter ADD COLUMN revoked_ms INTEGER;

-- An operator's word on what was kept aside: NULL while nobody has decided,
-- or 'rejected'. What is accepted is in the ledger and not here any more.
ALTER TABLE aside ADD COLUMN decision TEXT;

-- What operators decided: never deleted.
CREATE TABLE decision (
  n       INTEGER PRIMARY KEY,
  at_ms   INTEGER NOT NULL,
  what    TEXT    NOT NULL,             -- counter.add, counter.revoke, aside.accept, aside.reject
  counter TEXT    NOT NULL,
  subject TEXT    NOT NULL,             -- a key's thumbprint, or the hash of what was kept aside
  officer TEXT    NOT NULL,
  why     TEXT    NOT NULL
) STRICT;

-- What each counter said last about itself on its state topic.
CREATE TABLE state (
  counter     TEXT    PRIMARY KEY,
  message     TEXT    NOT NULL,         -- JSON
  received_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
