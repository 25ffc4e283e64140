-- One row for each chain this file has held; the last one is the current one.
CREATE TABLE epoch (
  number   INTEGER PRIMARY KEY,
  id       BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  first    INTEGER NOT NULL,            -- position of the event with sequence 1
  began_ms INTEGER NOT NULL
) STRICT;

-- position orders all events of the file; sequence = position - epoch.first + 1.
CREATE TABLE event (
  position INTEGER PRIMARY KEY,
  id       BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  at_ms    INTEGER NOT NULL,
  hash     BLOB    NOT NULL CHECK (length(hash) = 32),
  sealed   BLOB    NOT NULL,
  note     BLOB
) STRICT;

-- Everything up to and including position through is acknowledged.
CREATE TABLE watermark (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  through INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,             -- the far end's time of the acknowledgement
  hold    INTEGER                       -- from this position on nothing may be pruned
) STRICT;

-- Written and emptied again to find out whether the disk takes anything.
CREATE TABLE probe (filler BLOB NOT NULL) STRICT;
