-- Is a day's announcement complete? One row per source and day: the newest check of it.
CREATE TABLE checks (
  source     text COLLATE "C" NOT NULL,
  date       date NOT NULL,
  number     integer NOT NULL,              -- the highest counts
  complete   boolean NOT NULL,
  reason     text,
  categories jsonb NOT NULL,                -- [{category, announced, seen, late, stale}]
  PRIMARY KEY (source, date)
);
CREATE INDEX checks_date ON checks (date DESC, source);
