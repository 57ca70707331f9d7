"""The publisher's statements. Rows come as one array per column: one round trip, one plan, any number of rows."""

from __future__ import annotations

OPEN_BATCHES = """
INSERT INTO batches (batch, source, date, closed, papers)
SELECT batch, source, date, false, 0 FROM unnest($1::text[], $2::text[], $3::date[]) AS t (batch, source, date)
ON CONFLICT DO NOTHING
"""

CLOSED_BATCHES = """
INSERT INTO batches AS known (batch, source, date, closed, papers, reason)
SELECT batch, source, date, true, papers, reason
FROM unnest($1::text[], $2::text[], $3::date[], $4::int[], $5::text[]) AS t (batch, source, date, papers, reason)
ON CONFLICT (batch) DO UPDATE SET
  source = excluded.source, date = excluded.date, closed = true, papers = excluded.papers, reason = excluded.reason
WHERE NOT known.closed OR known.papers < excluded.papers
"""

ANNOUNCEMENTS = """
INSERT INTO announcements (batch, paper_id, version, date, kind, position, matches)
SELECT batch, paper_id, version, date, kind, position, matches::jsonb
FROM unnest($1::text[], $2::text[], $3::int[], $4::date[], $5::text[], $6::int[], $7::text[])
  AS t (batch, paper_id, version, date, kind, position, matches)
ON CONFLICT DO NOTHING
"""

# A paper's row is that of the highest (version, date, batch). Its licence is the greatest that any message tells of
# this version: sources that know none must not hide it, and that is the same in whatever order messages come.
_NEWER = "(excluded.version, excluded.date, excluded.batch) > (known.version, known.date, known.batch)"
_GREATEST = 'greatest(known.license COLLATE "C", excluded.license)'
_WHAT = ("title", "authors", "abstract", "categories", "doi", "journal_ref", "comment", "source", "url")
_OTHERS = ("version", "date", "batch", *_WHAT)
_REPLACED = ",\n  ".join(f"{name} = CASE WHEN {_NEWER} THEN excluded.{name} ELSE known.{name} END" for name in _OTHERS)

PAPERS = f"""
INSERT INTO papers AS known (id, version, date, batch, title, authors, abstract, categories,
  doi, journal_ref, comment, license, source, url)
SELECT id, version, date, batch, title, authors::jsonb, abstract, categories::jsonb,
  doi, journal_ref, comment, license, source, url
FROM unnest($1::text[], $2::int[], $3::date[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
  AS t (id, version, date, batch, title, authors, abstract, categories,
  doi, journal_ref, comment, license, source, url)
ON CONFLICT (id) DO UPDATE SET
  {_REPLACED},
  license = CASE WHEN excluded.version > known.version THEN excluded.license ELSE {_GREATEST} END
WHERE {_NEWER} OR (excluded.version = known.version AND {_GREATEST} IS DISTINCT FROM known.license)
"""  # noqa: S608 - of constants

# Filling a feed from the archive never moves what readers have seen to an earlier day.
ENTRIES = """
INSERT INTO entries AS known (paper_id, feed, version, batch, date, kind, rank, candidates, score, reasons,
  waits_for, deadline)
SELECT paper_id, feed, version, batch, date, kind, rank, candidates, score, reasons::jsonb,
  ARRAY(SELECT jsonb_array_elements_text(waits_for::jsonb)), now() + make_interval(secs => $12)
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::date[], $6::text[], $7::int[], $8::int[],
  $9::float8[], $10::text[], $11::text[])
  AS t (paper_id, feed, version, batch, date, kind, rank, candidates, score, reasons, waits_for)
ON CONFLICT (paper_id, feed) DO UPDATE SET
  version = excluded.version, batch = excluded.batch, date = excluded.date, kind = excluded.kind,
  rank = excluded.rank, candidates = excluded.candidates, score = excluded.score, reasons = excluded.reasons,
  waits_for = excluded.waits_for
WHERE (excluded.date, excluded.batch, excluded.version) < (known.date, known.batch, known.version)
  AND NOT (known.visible AND excluded.batch LIKE 'fill:%')
"""

SUMMARIES = """
INSERT INTO summaries AS known (paper_id, version, style, language, quality, summary, made_by, model,
  prompt_version, reason, source, prompt_tokens, completion_tokens, cost)
SELECT paper_id, version, style, language, quality, summary::jsonb, made_by, model,
  prompt_version, reason, source, prompt_tokens, completion_tokens, cost
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::text[], $12::int[], $13::int[], $14::float8[])
  AS t (paper_id, version, style, language, quality, summary, made_by, model,
  prompt_version, reason, source, prompt_tokens, completion_tokens, cost)
ON CONFLICT (paper_id, version, style, language) DO UPDATE SET
  quality = excluded.quality, summary = excluded.summary, made_by = excluded.made_by, model = excluded.model,
  prompt_version = excluded.prompt_version, reason = excluded.reason, source = excluded.source,
  prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens, cost = excluded.cost
WHERE excluded.quality > known.quality
"""

DEAD_LETTER = """
INSERT INTO dead_letters (sequence, digest, subject, consumer, attempts, reason, batch, paper_id, version, feeds)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT DO NOTHING
"""

CHECKS = """
INSERT INTO checks AS known (source, date, number, complete, reason, categories)
SELECT source, date, number, complete, reason, categories::jsonb
FROM unnest($1::text[], $2::date[], $3::int[], $4::bool[], $5::text[], $6::text[])
  AS t (source, date, number, complete, reason, categories)
ON CONFLICT (source, date) DO UPDATE SET
  number = excluded.number, complete = excluded.complete, reason = excluded.reason, categories = excluded.categories
WHERE excluded.number > known.number
"""

CHANGED = "UPDATE changes SET version = version + 1, at = greatest(at, clock_timestamp())"

# Locking in key order keeps two publishers from waiting for each other in a circle; the second one then sees
# `visible`. Counting takes all of those locks before the one on `changes`.
REVEAL = """
WITH ready AS (
  SELECT e.paper_id, e.feed FROM entries e
  WHERE NOT e.visible AND e.paper_id = ANY ($1::text[])
    AND EXISTS (SELECT FROM papers p WHERE p.id = e.paper_id AND (p.version >= e.version OR e.deadline <= now()))
    AND (e.deadline <= now() OR NOT EXISTS (
      SELECT FROM unnest(e.waits_for) AS kind
      WHERE NOT EXISTS (
        SELECT FROM summaries s
        WHERE s.paper_id = e.paper_id AND s.version >= e.version AND s.style || '/' || s.language = kind)))
  ORDER BY e.paper_id, e.feed
  FOR UPDATE OF e
), shown AS (
  UPDATE entries e SET visible = true FROM ready r
  WHERE e.paper_id = r.paper_id AND e.feed = r.feed
  RETURNING e.feed
), changed AS (
  UPDATE changes SET version = version + 1, at = greatest(at, clock_timestamp())
  WHERE (SELECT count(*) FROM shown) > 0
)
SELECT feed, count(*) AS entries FROM shown GROUP BY feed ORDER BY feed
"""

REVEAL_DUE = """
WITH ready AS (
  SELECT e.paper_id, e.feed FROM entries e
  WHERE NOT e.visible AND e.deadline <= now() AND EXISTS (SELECT FROM papers p WHERE p.id = e.paper_id)
  ORDER BY e.paper_id, e.feed
  FOR UPDATE OF e
), shown AS (
  UPDATE entries e SET visible = true FROM ready r
  WHERE e.paper_id = r.paper_id AND e.feed = r.feed
  RETURNING e.feed
), changed AS (
  UPDATE changes SET version = version + 1, at = greatest(at, clock_timestamp())
  WHERE (SELECT count(*) FROM shown) > 0
)
SELECT feed, count(*) AS entries FROM shown GROUP BY feed ORDER BY feed
"""

TOLD = """
WITH sent AS (
  SELECT e.paper_id, e.feed FROM entries e
  JOIN unnest($1::text[], $2::text[]) AS t (paper_id, feed) ON e.paper_id = t.paper_id AND e.feed = t.feed
  WHERE NOT e.told
  ORDER BY e.paper_id, e.feed
  FOR UPDATE OF e
)
UPDATE entries e SET told = true FROM sent s WHERE e.paper_id = s.paper_id AND e.feed = s.feed
"""
