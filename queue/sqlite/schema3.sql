-- Whatever prunes: the body of a parked event is owed.
CREATE TRIGGER parked_stays BEFORE DELETE ON event
WHEN EXISTS (SELECT 1 FROM parked WHERE position = OLD.position)
BEGIN
  SELECT raise(IGNORE);
END;

-- What is not there up to and including position through has been pruned; a
-- gap behind it and behind the watermark is damage.
CREATE TABLE pruned (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  through INTEGER NOT NULL
) STRICT;
INSERT INTO pruned(one, through) SELECT 1, coalesce(min(position), 1) - 1 FROM event;

-- What came before a chain that was begun because another could not go on.
CREATE TABLE recovery (
  epoch     INTEGER PRIMARY KEY,        -- number of the chain that was begun
  cause     TEXT    NOT NULL,
  previous  BLOB    NOT NULL CHECK (length(previous) = 16), -- zero: unknown
  sequence  INTEGER NOT NULL,           -- of the last event of the one before
  hash      BLOB    NOT NULL CHECK (length(hash) = 32),
  missing   TEXT    NOT NULL,           -- JSON: [[from, to], …]
  rewrapped INTEGER NOT NULL,
  aside     TEXT    NOT NULL            -- folder of the old files; '' if none
) STRICT;
