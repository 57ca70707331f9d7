"""How matched words are marked for people."""

from __future__ import annotations

from cli.feeds_show import MARK, title_of, why


def test_the_matched_words_of_a_title_are_marked_where_they_stand() -> None:
    spans = [{"field": "title", "start": 2, "end": 5}, {"field": "abstract", "start": 0, "end": 1}]
    reasons = [{"term": "GPU", "field": "title", "weight": 1.5, "spans": spans}]

    title = title_of("A\u009bGPU [bold]tool[/bold]", reasons)

    assert title.plain == "A GPU [bold]tool[/bold]"
    assert [(span.start, span.end, span.style) for span in title.spans] == [(2, 5, MARK)]


def test_reasons_are_told_with_their_points() -> None:
    reasons = [{"term": "GPU", "field": "title", "weight": 1.5}, {"term": "2401.01234", "field": "like", "weight": 2.0}]

    assert why(reasons) == "GPU (title +1.5), 2401.01234 (like +2)"
