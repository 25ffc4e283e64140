-- Positions of which only a tombstone came. The chain has passed them with the
-- original's hash; the body is owed and moves this row to event when it comes.
CREATE TABLE owed (
  counter     TEXT    NOT NULL,
  epoch       BLOB    NOT NULL,
  sequence    INTEGER NOT NULL,
  hash        BLOB    NOT NULL CHECK (length(hash) = 32),   -- of the original
  sealed      BLOB    NOT NULL,                             -- the tombstone
  received_ms INTEGER NOT NULL,
  PRIMARY KEY (counter, epoch, sequence)
) STRICT;

-- When something of the epoch last came, new or known: an acknowledgement
-- names those heard last.
ALTER TABLE epoch ADD COLUMN heard_ms INTEGER;
-- What the first record of the epoch after it said: which one that is, how far
-- it must have come until everything of this one has been sent again, and what
-- of this one is lost, as JSON: [[from,to],…].
ALTER TABLE epoch ADD COLUMN successor BLOB;
ALTER TABLE epoch ADD COLUMN settled INTEGER;
ALTER TABLE epoch ADD COLUMN missing TEXT NOT NULL DEFAULT '[]';
-- Since when nothing of this epoch is outstanding but what is missing: it is
-- not named in acknowledgements any more.
ALTER TABLE epoch ADD COLUMN closed_ms INTEGER;
