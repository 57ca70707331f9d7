"""arXiv's HTML pages to sections."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.texts.html import formula_text, parse
from services.fetcher.texts.sections import MIN_TEXT, NoText
from shared.texts import MAX_TEXT
from tests.fulltexts import FILLER, a_page

TAGS = [b"<math>", b"</article>", b'<p class="ltx_p">', b"</p>", b"<!--", b"<svg>", b"<![CDATA[", b"<script>", b"&#0;"]


def everything(page: bytes) -> str:
    return "\n".join(f"{section.heading}\n{section.text}" for section in parse(page))


def text_of(heading: str, page: bytes | None = None) -> str:
    return next(section.text for section in parse(page or a_page()) if section.heading == heading)


# Written before the paper where LaTeXML knows not all of its packages; it has the class of the paper.
ALERT = b"""<div class="package-alerts ltx_document" role="status" aria-label="Conversion errors have been found">
<button aria-label="Dismiss alert" onclick="closePopup()"><span aria-hidden="true"></span></button>
<p>HTML conversions sometimes display errors.</p><ul><li>failed: physics2</li></ul></div>
<script>function closePopup() {}</script>"""


def test_the_sections_keep_their_headings_and_order() -> None:
    assert [section.heading for section in parse(a_page())] == [
        "Abstract",
        "1 Introduction",
        "2 Method",
        "3 Results",
        "Appendix A Proofs",
    ]


@pytest.mark.parametrize(
    "cut",
    ["Kurzynski", "Nowhere", "Back to arXiv", "Generated on", "J. Doe", "Supported by", "We thank", "cell 17.3",
     "The code will be released", "undefinedmacro", "tracing\n", "color: black", "(1)"],
)  # fmt: skip
def test_what_tells_nothing_of_the_content_is_cut(cut: str) -> None:
    assert cut not in everything(a_page())


def test_a_warning_about_missing_packages_is_not_taken_for_the_paper() -> None:
    content = b'<div class="ltx_page_content">'

    assert parse(a_page().replace(content, content + ALERT)) == parse(a_page())
    with pytest.raises(NoText, match="no paper made by LaTeXML"):
        parse(b"<html><body>" + ALERT)


def test_a_page_of_2026_with_its_frame_is_read_like_one_before() -> None:
    header = b'<header class="arxiv-html-header">'
    frame = b'<dialog id="modal-form"><form><h5>Report GitHub Issue</h5></form></dialog>' + header
    article = b'<div class="ltx_page_content">'
    infobox = b'<div id="infobox" class="infobox"><div id="watermark-tr">arXiv:2512.08242v1 [cs.DC]</div></div>'
    notes = b'<span class="ltx_pubnotes"><span class="ltx_pubnote ltx_role_doi">doi: 10.1/1</span></span></h1>'
    footnote = b'<sup class="ltx_note_mark">1</sup> <span class="ltx_tag ltx_tag_note">1</span>\n The code will'
    page = a_page().replace(header, frame).replace(article, infobox + article).replace(b"</h1>", notes)
    page = page.replace(b'<sup class="ltx_note_mark">1</sup>The code will', footnote)

    assert parse(page) == parse(a_page())


def test_a_formula_without_its_tex_is_told_by_its_symbols_once() -> None:
    formula = (
        '<p class="ltx_p">so <math><semantics><mi>𝒙</mi><annotation-xml encoding="MathML-Content"><ci>𝒙</ci>'
        '</annotation-xml><annotation encoding="application/x-llamapun">bold_italic_x</annotation></semantics></math>.'
    )

    assert "so $𝒙$." in text_of("2 Method", a_page().replace(b'<p class="ltx_p" id="S2.SS1.p1.1">', formula.encode()))


def test_formulas_are_tex_that_a_reader_understands() -> None:
    method = text_of("2 Method").splitlines()

    assert method[2] == r"$\rho(r)=\frac{\rho_{0}}{(1+r)^{2}}$"
    assert method[3] == "where $r_{s}$ is the scale. We align the traces of k=3 levels:"
    assert r"an overhead of $2.5\%$." in text_of("Abstract")


def test_subsections_and_items_are_lines() -> None:
    method = text_of("2 Method").splitlines()

    assert (method[0], method[-1]) == ("2.1 Alignment", "kernels and operators;")


def test_captions_are_kept_and_kept_short() -> None:
    assert "Figure 1: Time per kernel on eight GPUs." in text_of("1 Introduction")
    caption = text_of("3 Results", a_page(caption=FILLER * 10)).splitlines()[-1]
    assert caption.startswith("Table 1: Share of time. Every level")
    assert len(caption) <= 302
    assert caption.endswith(" …")


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"", "it is no HTML|it is empty"),
        (b"\x00\xff\xfe", "it is no"),
        (b"<html><body><h1>No HTML for this paper</h1></body></html>", "no paper made by LaTeXML"),
        (a_page(more=""), "it holds only .* characters of text"),
        (b'<article class="ltx_document">' + b"<div>" * 100_000, "it holds only 0 characters"),
    ],
)
def test_a_page_without_a_paper_is_no_text(page: bytes, reason: str) -> None:
    with pytest.raises(NoText, match=reason):
        parse(page)


def test_a_page_that_is_cut_off_gives_what_is_there() -> None:
    page = a_page(more=FILLER * 40)

    sections = parse(page[: page.index(b"cell 17.3")])

    assert [section.heading for section in sections][-1] == "3 Results"


@pytest.mark.parametrize("odd", [b"\x00", b"\xff", b"\x01", b"&#1;", b"\xed\xa0\x80"])
def test_an_odd_byte_costs_nothing_else(odd: bytes) -> None:
    page = a_page().replace(b"<h1 ", odd + b"<h1 ").replace(b"Nobody knows", b"Nobody" + odd + b" knows")

    assert [section.heading for section in parse(page)] == [section.heading for section in parse(a_page())]


def test_no_text_is_longer_than_the_limit() -> None:
    sections = parse(a_page(more="word " * MAX_TEXT))

    assert MIN_TEXT < sum(len(section.heading) + len(section.text) for section in sections) <= MAX_TEXT


@given(st.data())
def test_no_damage_does_more_than_take_the_text(data: st.DataObject) -> None:
    page = bytearray(a_page(more=FILLER * 20))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(page)))
        page[at : at + data.draw(st.integers(0, 400))] = data.draw(st.binary(max_size=40) | st.sampled_from(TAGS))

    with suppress(NoText):
        assert all(section.text for section in parse(bytes(page)))


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        ("x", "x"),
        (r"\displaystyle x+1", "x+1"),
        ("a%\n  b", "ab"),
        (r"50\%", r"$50\%$"),
        (r"\alpha", r"$\alpha$"),
        ("", ""),
        (r"\alpha" * 1_000, "$…$"),
        (r"H_{0}=$67.3\,\mathrm{km}$", r"$H_{0}=67.3\,\mathrm{km}$"),
        (r"5\$", r"$5\$$"),
    ],
)
def test_a_formula_for_a_reader_of_plain_text(tex: str, shown: str) -> None:
    assert formula_text(tex) == shown
