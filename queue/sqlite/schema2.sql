-- Events that no broker carries, and why: the far end knows their place in the
-- chain and has not got their bodies.
CREATE TABLE parked (
  position INTEGER PRIMARY KEY,
  reason   TEXT    NOT NULL,
  at_ms    INTEGER NOT NULL
) STRICT;
