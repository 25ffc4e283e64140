-- What the rows were locked with, and how far the list has come.
CREATE TABLE list (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  key_id  TEXT    NOT NULL,
  salt    BLOB    NOT NULL,
  time    INTEGER NOT NULL, -- cost of the slow hash
  memory  INTEGER NOT NULL
) STRICT;

-- Placements by digest of their id: digest of the content, and the rows made
-- of it (tag and kind of each).
CREATE TABLE entry (
  id   BLOB    PRIMARY KEY,
  sum  BLOB    NOT NULL,
  name INTEGER NOT NULL, -- digest of the person's name
  rows BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- How many placements there are of each name, by digest.
CREATE TABLE name (
  key INTEGER PRIMARY KEY,
  n   INTEGER NOT NULL
) STRICT;

-- Those that every build looks at (placement.SeldomEnough).
CREATE INDEX frequent ON name(n) WHERE n > 10;

-- Locked rows. A stub's body holds the digest of the person's name, whether the
-- birth date is vague, and the tags of the documents; it does not leave this
-- file.
CREATE TABLE row (
  tag  BLOB    NOT NULL,
  kind INTEGER NOT NULL,
  id   BLOB    NOT NULL,
  body BLOB    NOT NULL,
  PRIMARY KEY (tag, kind, id)
) STRICT, WITHOUT ROWID;

-- Tags whose rows have changed with a version.
CREATE TABLE touched (
  version INTEGER NOT NULL,
  tag     BLOB    NOT NULL,
  PRIMARY KEY (version, tag)
) STRICT, WITHOUT ROWID;

-- What was locked or sealed before, by digest of the content.
CREATE TABLE kept (
  name TEXT NOT NULL,
  sum  BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (name, sum)
) STRICT, WITHOUT ROWID;
