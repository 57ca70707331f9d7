-- As before, but a dead letter counts as a paper of its batch only when it can be one: it says which paper, and the
-- closed batch has papers that are not scored. Anyone can publish rubbish that names a batch; no paper is missing
-- for it, and the batch must not stay incomplete for ever.
CREATE OR REPLACE VIEW batch_accounts AS
SELECT b.batch, b.source, b.date, b.closed, b.papers, b.reason,
  s.scored,
  CASE WHEN b.closed THEN least(g.given_up, greatest(b.papers - s.scored, 0)) ELSE g.given_up END AS dead_papers,
  e.stored, e.published, e.doomed, e.summarised,
  (SELECT count(DISTINCT (d.paper_id, f.feed)) FROM dead_letters d, unnest(d.feeds) AS f (feed)
    WHERE d.batch = b.batch AND d.subject = 'papers.selected'
      AND NOT EXISTS (SELECT FROM entries x WHERE x.paper_id = d.paper_id AND x.feed = f.feed)) AS dead_picks
FROM batches b
CROSS JOIN LATERAL (SELECT count(*) AS scored FROM announcements a WHERE a.batch = b.batch) s
CROSS JOIN LATERAL (
  SELECT count(DISTINCT (d.paper_id, d.version)) AS given_up
  FROM dead_letters d
  WHERE d.batch = b.batch AND d.subject IN ('papers.announced', 'papers.scored')
    AND d.paper_id IS NOT NULL AND d.version IS NOT NULL
    AND NOT EXISTS (SELECT FROM announcements a
      WHERE a.batch = d.batch AND a.paper_id = d.paper_id AND a.version = d.version)
) g
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
