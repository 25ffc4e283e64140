-- When the far end confirmed what, by its own clock: a row an hour at most. An
-- event at or before through was confirmed at time_ms or before.
CREATE TABLE confirmed (
  time_ms INTEGER PRIMARY KEY,
  through INTEGER NOT NULL
) STRICT;
