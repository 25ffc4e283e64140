-- The list's header as it came, and its agencies.
CREATE TABLE list (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  manifest BLOB NOT NULL,
  agencies BLOB NOT NULL
) STRICT;

-- Locked rows; several may share a tag and a kind.
CREATE TABLE row (
  tag  BLOB    NOT NULL,
  kind INTEGER NOT NULL,
  n    INTEGER NOT NULL,
  body BLOB    NOT NULL,
  PRIMARY KEY (tag, kind, n)
) STRICT, WITHOUT ROWID;
