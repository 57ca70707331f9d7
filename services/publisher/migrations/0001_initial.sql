-- Messages arrive in any order, so no table refers to another. Keys sort by code point (COLLATE "C") to order
-- alike in every database.

-- The newest version of every paper. (version, date, batch) decides which description is the newest.
CREATE TABLE papers (
  id          text COLLATE "C" PRIMARY KEY,
  version     integer NOT NULL,
  date        date NOT NULL,
  batch       text COLLATE "C" NOT NULL,
  title       text NOT NULL,
  authors     jsonb NOT NULL,
  abstract    text NOT NULL,
  categories  jsonb NOT NULL,
  doi         text,
  journal_ref text,
  comment     text,
  license     text,
  source      text NOT NULL
);

-- One row per papers.scored: what was announced when, and which feeds it matched.
CREATE TABLE announcements (
  batch    text COLLATE "C" NOT NULL,
  paper_id text COLLATE "C" NOT NULL,
  version  integer NOT NULL,
  date     date NOT NULL,
  kind     text NOT NULL,
  position integer NOT NULL,
  matches  jsonb NOT NULL,
  PRIMARY KEY (paper_id, version, batch)
);
CREATE INDEX announcements_batch ON announcements (batch);

-- One row per announcement batch, from its first message on; `papers` and `reason` count once it is closed.
CREATE TABLE batches (
  batch  text COLLATE "C" PRIMARY KEY,
  source text NOT NULL,
  date   date NOT NULL,
  closed boolean NOT NULL,
  papers integer NOT NULL,
  reason text
);
CREATE INDEX batches_date ON batches (date DESC, batch);

-- A paper in a feed. The earliest announcement that took it counts; later ones change nothing.
CREATE TABLE entries (
  paper_id   text COLLATE "C" NOT NULL,
  feed       text COLLATE "C" NOT NULL,
  version    integer NOT NULL,
  batch      text COLLATE "C" NOT NULL,
  date       date NOT NULL,
  kind       text NOT NULL,
  rank       integer NOT NULL,
  candidates integer NOT NULL,
  score      double precision NOT NULL,
  reasons    jsonb NOT NULL,
  waits_for  text[] NOT NULL,                   -- 'structured/en'
  deadline   timestamptz NOT NULL,
  visible    boolean NOT NULL DEFAULT false,    -- turns true once, never back
  told       boolean NOT NULL DEFAULT false,    -- papers.published is in the stream
  PRIMARY KEY (paper_id, feed)
);
CREATE INDEX entries_feed ON entries (feed, date DESC, rank, paper_id) WHERE visible;
CREATE INDEX entries_all ON entries (date DESC, rank, feed, paper_id) WHERE visible;
CREATE INDEX entries_waiting ON entries (deadline) WHERE NOT visible;
CREATE INDEX entries_untold ON entries (date, feed, rank) WHERE visible AND NOT told;
CREATE INDEX entries_batch ON entries (batch);

-- The answer to every summary request; `summary` is null when there is none, `reason` says why.
CREATE TABLE summaries (
  paper_id          text COLLATE "C" NOT NULL,
  version           integer NOT NULL,
  style             text NOT NULL,
  language          text NOT NULL,
  quality           smallint NOT NULL,          -- 0 given up, 1 none, 2 extraction, 3 model; a better one replaces
  summary           jsonb,
  made_by           text,
  model             text,
  prompt_version    text,
  reason            text,
  prompt_tokens     integer NOT NULL,
  completion_tokens integer NOT NULL,
  cost              double precision,
  PRIMARY KEY (paper_id, version, style, language)
);

-- What was given up, as far as its body can be read. `sequence` is its place in the stream DEAD.
CREATE TABLE dead_letters (
  sequence bigint NOT NULL,
  digest   text NOT NULL,
  subject  text NOT NULL,
  consumer text NOT NULL,
  attempts integer NOT NULL,
  reason   text NOT NULL,
  batch    text COLLATE "C",
  paper_id text COLLATE "C",
  version  integer,
  feeds    text[] NOT NULL,
  PRIMARY KEY (sequence, digest)
);
CREATE INDEX dead_letters_batch ON dead_letters (batch, paper_id);

-- Goes up in the same transaction as every change: whoever has read this version knows all that came before.
CREATE TABLE changes (
  single  boolean PRIMARY KEY DEFAULT true CHECK (single),
  version bigint NOT NULL,
  at      timestamptz NOT NULL
);
INSERT INTO changes (version, at) VALUES (0, now());

-- What readers see. `revised` is when the shown version was first announced, if it is newer than the entry's own.
CREATE VIEW shown_entries AS
SELECT
  e.feed, e.paper_id, e.batch, e.date, e.kind, e.rank, e.candidates, e.score, e.reasons, e.told,
  p.version, p.title, p.authors, p.abstract, p.categories, p.doi, p.journal_ref, p.comment, p.license, p.source,
  s.summary, s.made_by, s.model, s.language, s.reason,
  CASE WHEN p.version > e.version THEN
    (SELECT min(a.date) FROM announcements a WHERE a.paper_id = e.paper_id AND a.version = p.version)
  END AS revised
FROM entries e
JOIN papers p ON p.id = e.paper_id
LEFT JOIN LATERAL (
  SELECT s.summary, s.made_by, s.model, s.language, s.reason
  FROM summaries s
  WHERE s.paper_id = e.paper_id AND s.version <= p.version AND s.style || '/' || s.language = ANY (e.waits_for)
  ORDER BY s.summary IS NULL, array_position(e.waits_for, s.style || '/' || s.language), s.version DESC
  LIMIT 1
) s ON true
WHERE e.visible;

-- The accounts of announcements. Dead counts what will not come unless somebody replays it: a dead letter whose
-- paper or entry arrived after all is none. An entry is doomed when the message with its paper is dead.
CREATE VIEW batch_accounts AS
SELECT b.batch, b.source, b.date, b.closed, b.papers, b.reason,
  (SELECT count(*) FROM announcements a WHERE a.batch = b.batch) AS scored,
  (SELECT count(DISTINCT (d.paper_id, d.version)) FROM dead_letters d
    WHERE d.batch = b.batch AND d.subject IN ('papers.announced', 'papers.scored')
      AND NOT EXISTS (SELECT FROM announcements a
        WHERE a.batch = d.batch AND a.paper_id = d.paper_id AND a.version = d.version)) AS dead_papers,
  e.stored, e.published, e.doomed, e.summarised,
  (SELECT count(DISTINCT (d.paper_id, f.feed)) FROM dead_letters d, unnest(d.feeds) AS f (feed)
    WHERE d.batch = b.batch AND d.subject = 'papers.selected'
      AND NOT EXISTS (SELECT FROM entries x WHERE x.paper_id = d.paper_id AND x.feed = f.feed)) AS dead_picks
FROM batches b
CROSS JOIN LATERAL (
  SELECT count(*) AS stored,
    count(*) FILTER (WHERE e.visible) AS published,
    count(*) FILTER (WHERE NOT e.visible AND NOT p.here AND p.dead) AS doomed,
    count(DISTINCT e.paper_id) FILTER (WHERE p.summarised) AS summarised
  FROM entries e
  CROSS JOIN LATERAL (
    SELECT
      EXISTS (SELECT FROM papers p WHERE p.id = e.paper_id) AS here,
      EXISTS (SELECT FROM dead_letters d WHERE d.batch = e.batch AND d.paper_id = e.paper_id
        AND d.subject IN ('papers.announced', 'papers.scored')) AS dead,
      EXISTS (SELECT FROM summaries s WHERE s.paper_id = e.paper_id AND s.summary IS NOT NULL
        AND s.style || '/' || s.language = ANY (e.waits_for)) AS summarised
  ) p
  WHERE e.batch = b.batch
) e;
