-- Summaries say what was summarised: the abstract, or the full text.
ALTER TABLE summaries ADD COLUMN source text NOT NULL DEFAULT 'abstract';

-- As before, with `summary_source` at the end.
CREATE OR REPLACE VIEW shown_entries AS
SELECT
  e.feed, e.paper_id, e.batch, e.date, e.kind, e.rank, e.candidates, e.score, e.reasons, e.told,
  p.version, p.title, p.authors, p.abstract, p.categories, p.doi, p.journal_ref, p.comment, p.license, p.source,
  s.summary, s.made_by, s.model, s.language, s.reason,
  CASE WHEN p.version > e.version THEN
    (SELECT min(a.date) FROM announcements a WHERE a.paper_id = e.paper_id AND a.version = p.version)
  END AS revised,
  s.source AS summary_source
FROM entries e
JOIN papers p ON p.id = e.paper_id
LEFT JOIN LATERAL (
  SELECT s.summary, s.made_by, s.model, s.language, s.reason, s.source
  FROM summaries s
  WHERE s.paper_id = e.paper_id AND s.version <= p.version AND s.style || '/' || s.language = ANY (e.waits_for)
  ORDER BY s.summary IS NULL, array_position(e.waits_for, s.style || '/' || s.language), s.version DESC
  LIMIT 1
) s ON true
WHERE e.visible;
