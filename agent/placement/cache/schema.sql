-- What the list says of itself, as JSON.
CREATE TABLE list (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  header TEXT NOT NULL
) STRICT;

-- Locked rows by the first 63 bits of their tag: all that share them, one after
-- the other, as files have them, with the whole tag in each.
CREATE TABLE row (
  key  INTEGER PRIMARY KEY,
  rows BLOB NOT NULL
) STRICT;

CREATE TABLE negative (
  key  INTEGER PRIMARY KEY,
  rows BLOB NOT NULL
) STRICT;

-- Targets that are no rows, as they came.
CREATE TABLE target (
  name TEXT PRIMARY KEY,
  body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
