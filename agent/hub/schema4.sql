-- Events whose record is still to be opened, in the order in which they came.
-- What cannot be opened stays here with a reason, and is tried again with other
-- identities than those tried.
CREATE TABLE unopened (
  n        INTEGER PRIMARY KEY,
  counter  TEXT    NOT NULL,
  epoch    BLOB    NOT NULL,
  sequence INTEGER NOT NULL,
  tried    TEXT    NOT NULL DEFAULT '',
  reason   TEXT    NOT NULL DEFAULT '',
  UNIQUE (counter, epoch, sequence)
) STRICT;
CREATE INDEX unopened_tried ON unopened(tried, n);
INSERT INTO unopened(counter, epoch, sequence) SELECT counter, epoch, sequence FROM event WHERE repeated = 0 ORDER BY received_ms, rowid;

-- The last number given to an opened record, and to a traveller. Whoever writes
-- opened records locks this row first, so that numbers become visible in their
-- order: a reader that has seen n will never find a smaller one later.
CREATE TABLE feed (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  last      INTEGER NOT NULL,
  traveller INTEGER NOT NULL
) STRICT;
INSERT INTO feed VALUES (1, 0, 0);

-- Opened records, beside the sealed originals. Forgetting empties record,
-- document, person, flight, officer_id and leaves the rest.
CREATE TABLE opened (
  n            INTEGER PRIMARY KEY,
  counter      TEXT    NOT NULL,
  epoch        BLOB    NOT NULL,
  sequence     INTEGER NOT NULL,
  id           BLOB    NOT NULL,
  hash         BLOB    NOT NULL,
  type         TEXT    NOT NULL,   -- crossing.departure, …
  occurred_ms  INTEGER NOT NULL,
  received_ms  INTEGER NOT NULL,
  opened_ms    INTEGER NOT NULL,
  drill        INTEGER NOT NULL,
  site         TEXT    NOT NULL,
  officer_id   TEXT    NOT NULL,
  flight       TEXT    NOT NULL,
  document     TEXT    NOT NULL,   -- issuing state and number: "IDN X0000101"
  person       TEXT    NOT NULL,   -- normalised name and birth date
  record       TEXT,               -- JSON; null: forgotten
  forgotten_ms INTEGER,
  UNIQUE (counter, epoch, sequence)
) STRICT;
CREATE INDEX opened_id ON opened(id);
CREATE INDEX opened_type ON opened(type, n);
CREATE INDEX opened_flight ON opened(flight, occurred_ms) WHERE flight <> '';
CREATE INDEX opened_document ON opened(document, occurred_ms) WHERE document <> '';
CREATE INDEX opened_person ON opened(person, occurred_ms) WHERE person <> '';

-- Departures and returns as they stand: amendments are applied, voided ones
-- marked.
CREATE TABLE crossing (
  n               INTEGER PRIMARY KEY REFERENCES opened(n),
  id              BLOB    NOT NULL,
  counter         TEXT    NOT NULL,
  site            TEXT    NOT NULL,
  direction       TEXT    NOT NULL,   -- departure, return
  occurred_ms     INTEGER NOT NULL,
  drill           INTEGER NOT NULL,
  entry_mode      TEXT    NOT NULL,   -- scan, wedge, ocr, typed
  officer_id      TEXT    NOT NULL,
  decided_by      TEXT    NOT NULL,
  verdict         TEXT    NOT NULL,
  document        TEXT    NOT NULL,   -- issuing state and number: "IDN X0000101"
  issuing_state   TEXT    NOT NULL,
  document_number TEXT    NOT NULL,
  date_of_expiry  TEXT    NOT NULL,
  nationality     TEXT    NOT NULL,
  primary_name    TEXT    NOT NULL,
  secondary_name  TEXT    NOT NULL,
  date_of_birth   TEXT    NOT NULL,
  flight          TEXT    NOT NULL,
  journey_from    TEXT    NOT NULL,
  journey_to      TEXT    NOT NULL,
  purpose         TEXT    NOT NULL,
  return_reason   TEXT    NOT NULL,
  placement_id    TEXT    NOT NULL,   -- what the counter found; ''
  traveller       INTEGER NOT NULL,   -- the same for all that could be one person's
  amended         INTEGER NOT NULL,   -- how many amendments are applied
  voided_ms       INTEGER,
  void_reason     TEXT    NOT NULL
) STRICT;
CREATE INDEX crossing_traveller ON crossing(traveller, occurred_ms);
CREATE INDEX crossing_id ON crossing(id);
CREATE INDEX crossing_occurred ON crossing(occurred_ms);
CREATE INDEX crossing_placement ON crossing(placement_id) WHERE placement_id <> '';

-- Voids and amendments, and what became of them.
CREATE TABLE correction (
  n             INTEGER PRIMARY KEY REFERENCES opened(n),
  type          TEXT    NOT NULL,   -- crossing.voided, crossing.amended
  crossing_id   BLOB    NOT NULL,
  crossing_hash BLOB    NOT NULL,
  reason        TEXT    NOT NULL,
  changes       TEXT    NOT NULL,   -- JSON object
  occurred_ms   INTEGER NOT NULL,
  state         TEXT    NOT NULL    -- pending: the crossing is not here; applied; partly: some fields cannot be amended; hash: it names another hash
) STRICT;
CREATE INDEX correction_crossing ON correction(crossing_id);

-- Which traveller documents and persons belong to.
CREATE TABLE traveller_key (
  key       TEXT    PRIMARY KEY,    -- "d " and a document, "p " and a person
  traveller INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX traveller_key_traveller ON traveller_key(traveller);

-- What headquarters knows of placements beyond what counters are given. Never
-- sent to a counter as it stands.
CREATE TABLE placement (
  placement_id   TEXT    PRIMARY KEY,
  rev            INTEGER NOT NULL,
  contract_from  TEXT    NOT NULL,
  status         TEXT    NOT NULL,  -- as it stands: the authority's, advanced by crossings
  given_status   TEXT    NOT NULL,  -- the authority's
  given_ms       INTEGER NOT NULL,  -- since when
  advanced_by    INTEGER,           -- the crossing that advanced it
  destination    TEXT    NOT NULL,
  agency_id      TEXT    NOT NULL,
  province       TEXT    NOT NULL,
  regency        TEXT    NOT NULL,
  person         TEXT    NOT NULL,
  traveller      INTEGER NOT NULL,
  entry          TEXT    NOT NULL,  -- JSON, as list build reads it
  load           INTEGER NOT NULL   -- the last load that had it
) STRICT;
CREATE INDEX placement_traveller ON placement(traveller);
CREATE TABLE placement_document (
  document     TEXT NOT NULL,
  placement_id TEXT NOT NULL REFERENCES placement(placement_id) ON DELETE CASCADE,
  PRIMARY KEY (document, placement_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX placement_document_placement ON placement_document(placement_id);

-- Who opened named rows, or had some forgotten, and what for. Only ever added
-- to.
CREATE TABLE access (
  n          INTEGER PRIMARY KEY,
  at_ms      INTEGER NOT NULL,
  officer_id TEXT    NOT NULL,
  purpose    TEXT    NOT NULL,
  command    TEXT    NOT NULL,
  row_count  INTEGER NOT NULL,
  events     TEXT    NOT NULL   -- the ids of the events whose records were shown, JSON
) STRICT;
CREATE TRIGGER access_stays BEFORE DELETE ON access BEGIN SELECT raise(ABORT, 'the access log is only added to'); END;
CREATE TRIGGER access_as_it_is BEFORE UPDATE ON access BEGIN SELECT raise(ABORT, 'the access log is only added to'); END;

-- For reports and other systems: crossings with the placement that names their
-- document.
CREATE VIEW crossings AS
  SELECT c.*, p.placement_id AS placement, p.status, p.destination, p.agency_id, p.province, p.regency
  FROM crossing c LEFT JOIN placement p ON p.placement_id = (
    SELECT q.placement_id FROM placement_document d JOIN placement q ON q.placement_id = d.placement_id WHERE d.document = c.document
    ORDER BY q.placement_id = c.placement_id DESC, q.contract_from DESC, q.rev DESC, q.placement_id LIMIT 1)
  WHERE c.drill = 0 AND c.voided_ms IS NULL;
-- Crossings by day and counter, without anybody's name.
CREATE VIEW crossings_by_day AS
  SELECT counter, direction, occurred_ms / 86400000 AS day, count(*) AS crossings
  FROM crossing WHERE drill = 0 AND voided_ms IS NULL GROUP BY counter, direction, occurred_ms / 86400000;
